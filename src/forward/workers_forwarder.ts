// A forwarder of several workers; for `forward()` alone.

import { formatAddress } from "./address.ts";
import { emit, type ForwardEvent } from "./events.ts";
import type { Forwarder, ForwardStats } from "./forwarder.ts";
import { OwnConnections } from "./own_connections.ts";
import { checkGrace, type ForwardOptions, type Settings } from "./options.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

/**
 * Starts as many workers as were asked for, all listening on one port: the system spreads the
 * connections over them (`SO_REUSEPORT`).
 *
 * @throws {Error} If one of them cannot listen.
 */
export async function forwardByTeam(
  options: ForwardOptions,
  settings: Settings,
): Promise<Forwarder> {
  const { target, connectTimeout, grace, openEvents } = options;
  const { workers, maxConnections, onEvent, join } = settings;
  const common = { ...join, target, connectTimeout, grace, openEvents };
  const members: Member[] = [];
  const memory = OwnConnections.memory();
  let { listen } = options;
  try {
    for (let index = 0; index < workers; index++) {
      const member = new Member((event) => {
        // The number of a connection is to be its own among those of all workers.
        if ("id" in event) event.id = (event.id - 1) * workers + index + 1;
        emit(event, onEvent);
      });
      members.push(member);
      const rest = index < maxConnections % workers ? 1 : 0;
      const share = Math.floor(maxConnections / workers) + rest;
      // The port that the first one has chosen is the others' as well.
      const own = { ...common, listen, maxConnections: share, reusePort: true };
      listen = await member.start(own, onEvent !== undefined, memory);
    }
  } catch (error) {
    for (const member of members) member.terminate();
    throw error;
  }
  return new Team(members, listen, settings);
}

class Team implements Forwarder {
  readonly address: string;
  readonly target: string;
  readonly finished: Promise<void>;
  readonly #members: readonly Member[];
  readonly #settings: Settings;
  #stopped = false;

  constructor(members: readonly Member[], address: string, settings: Settings) {
    this.address = address;
    this.target = formatAddress(settings.target);
    this.#members = members;
    this.#settings = settings;
    const { signal, onEvent } = settings;
    this.finished = Promise.all(members.map((member) => member.finished)).then(() =>
      signal?.removeEventListener("abort", this.#onAbort)
    );
    emit({ event: "listen", address, target: this.target }, onEvent);
    signal?.addEventListener("abort", this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  stats(): ForwardStats {
    const sum: ForwardStats = { open: 0, accepted: 0, aToB: 0, bToA: 0 };
    for (const { stats } of this.#members) {
      sum.open += stats.open;
      sum.accepted += stats.accepted;
      sum.aToB += stats.aToB;
      sum.bToA += stats.bToA;
    }
    return sum;
  }

  async shutdown(wanted?: number): Promise<void> {
    const grace = checkGrace(wanted, this.#settings.grace);
    if (!this.#stopped) {
      this.#stopped = true;
      emit({ event: "shutdown", open: this.stats().open, grace }, this.#settings.onEvent);
    }
    for (const member of this.#members) member.tell({ kind: "shutdown", grace });
    await this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #onAbort = (): void => void this.shutdown();
}

/** A worker, from outside. */
class Member {
  stats: ForwardStats = { open: 0, accepted: 0, aToB: 0, bToA: 0 };
  readonly finished: Promise<void>;
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #listening = Promise.withResolvers<string>();

  constructor(onEvent: (event: ForwardEvent) => void) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    // Once it listens, what fails in it is a bug, and ends the process.
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#listening.reject(new Error(`Cannot start a worker: ${event.message}`));
    };
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      switch (data.kind) {
        case "listening":
          this.#worker.onerror = null;
          return this.#listening.resolve(data.address);
        case "failed":
          return this.#listening.reject(data.error);
        case "event":
          // Those of the team as a whole are its own to tell.
          if ("id" in data.event || data.event.event === "error") onEvent(data.event);
          return;
        case "finished":
          this.terminate();
          resolve();
      }
      this.stats = data.stats;
    };
  }

  /** Makes it listen: resolves to where. */
  start(options: ForwardOptions, tells: boolean, memory: SharedArrayBuffer): Promise<string> {
    this.tell({ kind: "start", options, tells, memory });
    return this.#listening.promise;
  }

  tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  terminate(): void {
    this.#worker.terminate();
  }
}
