// A forwarder of several workers, each a forwarder of one thread; for `forward()` alone.

import { formatAddress } from "./address.ts";
import { emit } from "./emit.ts";
import type { ForwardEvent } from "./events.ts";
import type { Forwarder, ForwardStats } from "./forwarder.ts";
import type { ForwardOptions } from "./options.ts";
import { OwnConnections } from "./own_connections.ts";
import { readGrace, type Settings } from "./settings.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

/**
 * Starts the workers, which all listen on one port: the system spreads the connections over them
 * (`SO_REUSEPORT`). `settings` are the checked `options`.
 *
 * @throws {Error} If a worker cannot start or listen. All workers are terminated then.
 */
export async function forwardByWorkers(
  options: ForwardOptions,
  settings: Settings,
): Promise<Forwarder> {
  const { target, connectTimeout, grace, openEvents } = options;
  // A worker is sent only what can be cloned; the signal and the callback stay in this thread.
  const common = { ...settings.join, target, connectTimeout, grace, openEvents, reusePort: true };
  const sendsEvents = settings.onEvent !== undefined;
  const memory = OwnConnections.allocate();
  const workers: WorkerHandle[] = [];
  let { listen } = options;
  try {
    for (let index = 0; index < settings.workers; index++) {
      const worker = new WorkerHandle((event) => {
        emit(withOwnId(event, index, settings.workers), settings.onEvent);
      });
      workers.push(worker);
      const maxConnections = shareOf(settings.maxConnections, index, settings.workers);
      // The first worker may choose the port, on which all further workers listen, too.
      listen = await worker.start({ ...common, listen, maxConnections }, sendsEvents, memory);
    }
  } catch (error) {
    for (const worker of workers) worker.terminate();
    throw error;
  }
  return new WorkersForwarder(workers, listen, settings);
}

/** Gives a connection's event, which has the number that the worker counts, a number unique to all workers. */
function withOwnId(event: ForwardEvent, index: number, workers: number): ForwardEvent {
  return "id" in event ? { ...event, id: (event.id - 1) * workers + index + 1 } : event;
}

/** The worker's share of a whole number or Infinity: all shares sum up to it, and differ by no more than 1. */
function shareOf(total: number, index: number, workers: number): number {
  return Math.floor(total / workers) + (index < total % workers ? 1 : 0);
}

class WorkersForwarder implements Forwarder {
  readonly address: string;
  readonly target: string;
  readonly finished: Promise<void>;
  readonly #workers: readonly WorkerHandle[];
  readonly #settings: Settings;
  #isShuttingDown = false;

  constructor(workers: readonly WorkerHandle[], address: string, settings: Settings) {
    this.address = address;
    this.target = formatAddress(settings.target);
    this.#workers = workers;
    this.#settings = settings;
    const { signal, onEvent } = settings;
    this.finished = Promise.all(workers.map((worker) => worker.finished)).then(() =>
      signal?.removeEventListener("abort", this.#onAbort)
    );
    emit({ event: "listen", address, target: this.target }, onEvent);
    signal?.addEventListener("abort", this.#onAbort);
    // The signal may have aborted while the workers were starting, or in `onEvent`.
    if (signal?.aborted) this.#onAbort();
  }

  stats(): ForwardStats {
    const sum: ForwardStats = { open: 0, accepted: 0, aToB: 0, bToA: 0 };
    for (const { stats } of this.#workers) {
      sum.open += stats.open;
      sum.accepted += stats.accepted;
      sum.aToB += stats.aToB;
      sum.bToA += stats.bToA;
    }
    return sum;
  }

  async shutdown(grace?: number): Promise<void> {
    const ms = readGrace(grace, this.#settings.grace);
    if (!this.#isShuttingDown) {
      this.#isShuttingDown = true;
      emit({ event: "shutdown", open: this.stats().open, grace: ms }, this.#settings.onEvent);
    }
    for (const worker of this.#workers) worker.shutdown(ms);
    await this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #onAbort = (): void => void this.shutdown();
}

/** A worker, as the thread that has started it sees it. */
class WorkerHandle {
  readonly #done = Promise.withResolvers<void>();
  /** Fulfils once the worker has stopped listening and all its connections have ended. */
  readonly finished: Promise<void> = this.#done.promise;
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #listening = Promise.withResolvers<string>();
  readonly #onEvent: (event: ForwardEvent) => void;
  #stats: ForwardStats = { open: 0, accepted: 0, aToB: 0, bToA: 0 };

  /** `onEvent` is called with the events of connections, and with errors. */
  constructor(onEvent: (event: ForwardEvent) => void) {
    this.#onEvent = onEvent;
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#listening.reject(new Error(`Cannot start a worker: ${event.message}`));
    };
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#onMessage(data);
  }

  /** The counts that the worker has sent last. */
  get stats(): ForwardStats {
    return this.#stats;
  }

  /** Makes the worker listen. Returns the address, with the port that was chosen. */
  start(
    options: ForwardOptions,
    sendsEvents: boolean,
    memory: SharedArrayBuffer,
  ): Promise<string> {
    this.#send({ kind: "start", options, sendsEvents, memory });
    return this.#listening.promise;
  }

  shutdown(grace: number): void {
    this.#send({ kind: "shutdown", grace });
  }

  terminate(): void {
    this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #onMessage(message: FromWorker): void {
    switch (message.kind) {
      case "listening":
        // From here on an error in the worker is a bug of ours: let it end the process.
        this.#worker.onerror = null;
        return this.#listening.resolve(message.address);
      case "failed":
        return this.#listening.reject(message.error);
      case "event": {
        const { event } = message;
        // Listening and shutting down are events that `WorkersForwarder` emits once for all workers.
        if ("id" in event || event.event === "error") this.#onEvent(event);
        return;
      }
      case "stats":
        this.#stats = message.stats;
        return;
      case "finished":
        this.#stats = message.stats;
        this.terminate();
        this.#done.resolve();
    }
  }
}
