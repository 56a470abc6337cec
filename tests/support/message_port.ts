/**
 * A far end in a worker of the runtime's own, joined by a message port.
 *
 * @module
 */
import { fromMessagePort, type MessagePortOptions } from "@webstreams/join/message_port";
import type { Pair } from "@webstreams/join";
import type { Far, FarOptions } from "../peer/far_end.ts";
import { ToldFar } from "../peer/told_far.ts";
import type { Answer, Command, Start } from "../workers/message_port_far.ts";
import { type Deferred, deferred } from "./async.ts";
import { runtime } from "./environment.ts";
import { untyped } from "./untyped.ts";

/** A thread. */
interface Thread {
  postMessage(message: Start, transfer: MessagePort[]): void;
  terminate(): unknown;
}

/** A page has its modules where the runner serves them; others beside this one. */
function script(): URL {
  const base = "document" in globalThis ? `${location.origin}/support/` : import.meta.url;
  return new URL(`../workers/message_port_far.${runtime === "deno" ? "ts" : "js"}`, base);
}

async function thread(): Promise<Thread> {
  if (runtime === "node") {
    const { Worker } = await import("node:worker_threads");
    const worker = new Worker(script());
    // That it ends by an error is what some tests want.
    worker.on("error", () => {});
    return {
      postMessage: (message, ports) => worker.postMessage(message, untyped(ports)),
      terminate: () => worker.terminate(),
    };
  }
  const worker = new Worker(script(), { type: "module" });
  worker.onerror = (event) => event.preventDefault();
  return worker;
}

/** The end here, and the far end there. */
export interface Threaded {
  readonly end: Pair;
  readonly peer: WorkerFar;
  terminate(): unknown;
  /** Ends the thread, whatever its state. */
  dispose(): Promise<void>;
}

/** Starts a worker with a far end. */
export async function threaded(
  options: FarOptions,
  portOptions?: MessagePortOptions,
): Promise<Threaded> {
  const worker = await thread();
  const { port1, port2 } = new MessageChannel();
  const { port1: commands, port2: theirs } = new MessageChannel();
  const peer = new WorkerFar(commands);
  worker.postMessage({ port: port2, commands: theirs, options }, [port2, theirs]);
  await peer.ready;
  const end = fromMessagePort(port1, portOptions);
  return {
    end,
    peer,
    terminate: () => worker.terminate(),
    async dispose() {
      end.close?.();
      peer.end();
      await worker.terminate();
    },
  };
}

/** Commands a far end in another thread. */
export class WorkerFar extends ToldFar {
  /** It is there. */
  readonly ready: Promise<unknown>;
  readonly #commands: MessagePort;
  readonly #waiting = new Map<number, Deferred<unknown>>();
  #last = 0;

  constructor(commands: MessagePort) {
    super();
    this.#commands = commands;
    const ready = deferred<unknown>();
    this.ready = ready.promise;
    this.#waiting.set(0, ready);
    commands.onmessage = ({ data: { id, value, error } }: MessageEvent<Answer>) => {
      const { resolve, reject } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    };
  }

  /** It is to be lost in a way of its own, and will not answer. */
  lose(how: "closePort" | "throw" | "exit"): void {
    void this.#post(how);
  }

  /** Nothing is heard of it from here on. */
  end(): void {
    this.#commands.close();
    for (const { reject } of this.#waiting.values()) reject(new Error("The thread has ended"));
  }

  protected override tell<T>(verb: keyof Far, ...args: unknown[]): Promise<T> {
    return this.#post(verb, args);
  }

  #post<T>(verb: Command["verb"], args: unknown[] = []): Promise<T> {
    const answered = deferred<unknown>();
    // As with any far end: whoever waits for it sees that it fails.
    answered.promise.catch(() => {});
    const id = ++this.#last;
    this.#waiting.set(id, answered);
    this.#commands.postMessage({ id, verb, args } satisfies Command);
    return answered.promise as Promise<T>;
  }
}
