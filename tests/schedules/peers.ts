/**
 * The two peers of joins under test, in a process of their own, on Node:
 *
 *     node peers.js
 *
 * Says on standard output where it listens for the test, and ends when its standard input does.
 *
 * @module
 */
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { delay } from "../support/async.ts";
import { Peer } from "./peer.ts";
import type { News, OfRun, Order } from "./protocol.ts";
import { type Side, sides } from "../support/sides.ts";
import type { ScheduleStep } from "./schedule.ts";

/** How long a step may wait for bytes, and the end of a run for the connections to be closed. */
const AWAIT_MS = 100;
const CLOSE_MS = 5_000;

type Tell = (news: News) => void;

/** The peers of one run. */
class Run {
  readonly #tell: Tell;
  readonly #peers: Readonly<Record<Side, Peer>> = { a: new Peer("a"), b: new Peer("b") };
  #ms = 0;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  async obey(order: Order): Promise<void> {
    if (order.order === "open") await this.#open(order.ports);
    else if (order.order === "play") await this.#play(order.steps, order.silent);
    else await this.#close();
  }

  async #open(given: Readonly<Record<Side, number>>): Promise<void> {
    const { a, b } = this.#peers;
    const ports = { a: await a.open(given.a), b: await b.open(given.b) };
    this.#tell({ news: "ports", ports });
  }

  async #play(steps: readonly ScheduleStep[], silent?: Side): Promise<void> {
    await Promise.all(sides.map((side) => this.#peers[side].connected()));
    const start = performance.now();
    for (const step of steps) await this.#begin(step);
    for (const side of sides) {
      this.#peers[side].resume();
      if (side !== silent) this.#peers[side].finish();
    }
    this.#ms = performance.now() - start;
    this.#tell({ news: "played" });
  }

  async #begin(step: ScheduleStep): Promise<void> {
    switch (step.do) {
      case "wait":
        return await delay(step.ms);
      case "await":
        return await this.#peers[step.on].received(step.bytes, AWAIT_MS);
      case "abort":
      case "drain":
        return this.#tell({ news: step.do });
      default:
        this.#peers[step.on].begin(step);
    }
  }

  async #close(): Promise<void> {
    const { a, b } = this.#peers;
    for (const side of sides) this.#peers[side].letGo();
    await Promise.all([a.closed(CLOSE_MS), b.closed(CLOSE_MS)]);
    const peers = { a: a.facts(this.#ms), b: b.facts(this.#ms) };
    this.dispose();
    this.#tell({ news: "closed", peers });
  }

  dispose(): void {
    for (const side of sides) this.#peers[side].dispose();
  }
}

const server = createServer((control) => {
  const runs = new Map<number, Run>();
  const tellOf = (run: number): Tell => (news) => {
    const message: OfRun<News> = { ...news, run };
    control.write(`${JSON.stringify(message)}\n`);
  };
  const lines = createInterface(control);
  lines.on("error", () => {});
  lines.on("line", (line) => {
    const order: OfRun<Order> = JSON.parse(line);
    const run = runs.get(order.run) ?? new Run(tellOf(order.run));
    runs.set(order.run, run);
    if (order.order === "close") runs.delete(order.run);
    // An order that fails is one that the test waits for in vain: the reason is for whoever looks for it.
    run.obey(order).catch((error) => console.error("schedules:", error));
  });
  control.on("error", () => {});
  control.on("close", () => {
    for (const run of runs.values()) run.dispose();
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
process.stdin.on("end", () => process.exit()).resume();
