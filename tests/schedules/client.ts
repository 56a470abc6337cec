/**
 * Tells the peers of joins under test what to do.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { ask } from "../peer/client.ts";
import type { Started, Starting } from "../peer/protocol.ts";
import { deferred } from "../support/async.ts";
import type { Facts, News, OfRun, Order } from "./protocol.ts";
import type { Side } from "../support/sides.ts";
import type { Schedule } from "./schedule.ts";

type Ports = Readonly<Record<Side, number>>;

/** The process of the peers. */
export class Peers implements AsyncDisposable {
  readonly #id: string;
  readonly #control: Socket;
  readonly #runs = new Map<number, PeersOfRun>();
  #count = 0;

  private constructor(id: string, control: Socket) {
    this.#id = id;
    this.#control = control;
    createInterface(control).on("line", (line) => {
      const news: OfRun<News> = JSON.parse(line);
      this.#runs.get(news.run)?.hear(news);
    });
    control.once("close", () => {
      for (const run of this.#runs.values()) run.fail(new Error("The peers are gone"));
    });
  }

  /** Starts it. */
  static async start(): Promise<Peers> {
    const starting: Starting = { on: "node", name: "schedules/peers", args: [] };
    const { id, port } = await ask<Started>("program", starting);
    const control = connect({ host: "127.0.0.1", port });
    await once(control, "connect");
    return new Peers(id, control);
  }

  /** Two peers for one join. */
  run(schedule: Schedule): PeersOfRun {
    const id = ++this.#count;
    const run = new PeersOfRun(schedule, (order) => {
      const message: OfRun<Order> = { ...order, run: id };
      this.#control.write(`${JSON.stringify(message)}\n`);
      if (order.order === "close") run.closed.finally(() => this.#runs.delete(id)).catch(() => {});
    });
    this.#runs.set(id, run);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#control, "close");
    this.#control.destroy();
    await closed;
    await ask(`program/${this.#id}/stop`, null);
  }
}

/** The peers of one join. */
export class PeersOfRun {
  /** What happens in it. */
  readonly schedule: Schedule;
  /** Called at the steps that are the caller's. */
  onSignal: (which: "abort" | "drain") => void = () => {};
  readonly #tell: (order: Order) => void;
  readonly #ports = deferred<Ports>();
  readonly #played = deferred();
  readonly #gone = deferred<never>();
  readonly #closed = deferred<Readonly<Record<Side, Facts>>>();

  constructor(schedule: Schedule, tell: (order: Order) => void) {
    this.schedule = schedule;
    this.#tell = tell;
  }

  /** What they have done and seen, once the join is over and their connections are closed. */
  get closed(): Promise<Readonly<Record<Side, Facts>>> {
    return this.#closed.promise;
  }

  /** Never fulfils, rejects once they are gone. */
  get gone(): Promise<never> {
    return this.#gone.promise;
  }

  /** Has them connect to ports, or listen where that is 0; gives the ports. */
  open(ports: Ports): Promise<Ports> {
    this.#tell({ order: "open", ports });
    return this.#ports.promise;
  }

  /** The join has begun: fulfils once all steps have been begun. */
  play(): Promise<void> {
    const { steps, silent } = this.schedule;
    this.#tell({ order: "play", steps, silent });
    return this.#played.promise;
  }

  /** The join is over. */
  close(): Promise<Readonly<Record<Side, Facts>>> {
    this.#tell({ order: "close" });
    return this.closed;
  }

  /** They have told something. */
  hear(news: News): void {
    if (news.news === "ports") this.#ports.resolve(news.ports);
    else if (news.news === "played") this.#played.resolve();
    else if (news.news === "closed") this.#closed.resolve(news.peers);
    else this.onSignal(news.news);
  }

  /** They are gone. */
  fail(error: Error): void {
    for (const one of [this.#ports, this.#played, this.#closed, this.#gone]) {
      // Whoever waits for it is told.
      one.promise.catch(() => {});
      one.reject(error);
    }
  }
}
