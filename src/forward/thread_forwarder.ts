// A forwarder in the thread that calls it; for `forward()` and its workers alone.

import { AcceptLoop } from "./accept_loop.ts";
import { formatAddress, formatDenoAddress } from "./address.ts";
import { Deadline } from "./deadline.ts";
import { emit } from "./emit.ts";
import type { ForwardEvent } from "./events.ts";
import type { Forwarder, ForwardStats } from "./forwarder.ts";
import { listen, type Listener } from "./listen.ts";
import { LoopGuard } from "./loop_guard.ts";
import { NewsFilter } from "./news_filter.ts";
import { loopFailure, type Outcome } from "./outcome.ts";
import { plainMessage } from "./plain_message.ts";
import { Session, type SessionOwner } from "./session.ts";
import { readGrace, type Settings } from "./settings.ts";

/** Listens and forwards in this thread. `memory` is what the workers of a forwarder share. */
export async function forwardInThread(
  settings: Settings,
  memory?: SharedArrayBuffer,
): Promise<Forwarder> {
  return new ThreadForwarder(settings, await listen(settings), memory);
}

class ThreadForwarder implements Forwarder {
  readonly address: string;
  readonly target: string;
  readonly #done = Promise.withResolvers<void>();
  readonly finished: Promise<void> = this.#done.promise;
  readonly #settings: Settings;
  readonly #guard: LoopGuard;
  readonly #accepting: AcceptLoop;
  readonly #sessions = new Set<Session>();
  readonly #sessionOwner: SessionOwner;
  /** The counts, without the bytes of open sessions. */
  readonly #totals = { accepted: 0, aToB: 0, bToA: 0 };
  readonly #cutAt = new Deadline(() => this.#cut());
  readonly #errors = new NewsFilter();

  constructor(settings: Settings, listener: Listener, memory: SharedArrayBuffer | undefined) {
    this.#settings = settings;
    this.#guard = new LoopGuard(settings.target, listener, memory);
    this.#sessionOwner = {
      settings,
      guard: this.#guard,
      onEnd: (session, outcome) => this.#onSessionEnd(session, outcome),
    };
    this.address = formatDenoAddress(listener.addr);
    this.target = formatAddress(settings.target);
    this.#emit({ event: "listen", address: this.address, target: this.target });
    this.#accepting = new AcceptLoop(listener, {
      hasRoom: () => this.#sessions.size < settings.maxConnections,
      onConnection: (client) => this.#onConnection(client),
      onFailure: (error) => this.#reportError(`Cannot accept for now: ${plainMessage(error)}`),
    });
    settings.signal?.addEventListener("abort", this.#onAbort);
    // The signal may have aborted while `listen` examined a stale Unix socket, or in `onEvent`.
    if (settings.signal?.aborted) this.#onAbort();
  }

  stats(): ForwardStats {
    const stats = { open: this.#sessions.size, ...this.#totals };
    for (const { aToB, bToA } of this.#sessions) {
      stats.aToB += aToB.bytes;
      stats.bToA += bToA.bytes;
    }
    return stats;
  }

  async shutdown(grace?: number): Promise<void> {
    const ms = readGrace(grace, this.#settings.grace);
    if (!this.#accepting.isStopped) {
      this.#stopAccepting();
      this.#emit({ event: "shutdown", open: this.#sessions.size, grace: ms });
    }
    this.#cutAt.bringForward(ms);
    await this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #onAbort = (): void => void this.shutdown();

  async #onConnection(client: Deno.Conn): Promise<void> {
    if (await this.#guard.noteAccepted(client)) {
      client.close();
      this.#reportError(loopFailure(this.#settings.target).error);
    } else if (this.#accepting.isStopped) {
      client.close();
    } else {
      this.#startSession(client);
      if (this.#settings.once) this.#stopAccepting();
    }
  }

  #startSession(client: Deno.Conn): void {
    const session = new Session(++this.#totals.accepted, client, this.#sessionOwner);
    this.#sessions.add(session);
    if (this.#settings.openEvents) this.#emit({ event: "open", ...session.describe() });
    void session.run();
  }

  #onSessionEnd(session: Session, outcome: Outcome): void {
    this.#sessions.delete(session);
    this.#totals.aToB += session.aToB.bytes;
    this.#totals.bToA += session.bToA.bytes;
    if (this.#settings.onEvent !== undefined) this.#emit(session.closeEvent(outcome));
    this.#accepting.onConnectionEnd();
    this.#finishIfOver();
  }

  #stopAccepting(): void {
    this.#accepting.stop();
    this.#settings.signal?.removeEventListener("abort", this.#onAbort);
    this.#finishIfOver();
  }

  #cut(): void {
    for (const session of this.#sessions) session.cut();
  }

  #finishIfOver(): void {
    if (!this.#accepting.isStopped || this.#sessions.size > 0) return;
    this.#cutAt.cancel();
    void this.#accepting.ended.then(this.#done.resolve);
  }

  #reportError(error: string): void {
    if (this.#errors.isNews(error)) this.#emit({ event: "error", error });
  }

  #emit(event: ForwardEvent): void {
    emit(event, this.#settings.onEvent);
  }
}
