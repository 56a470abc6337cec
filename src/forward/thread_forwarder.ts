// A forwarder of one thread: accepts connections and keeps their sessions; for `forward()` and for workers
// alone.

import { formatAddress, formatDenoAddress, type TargetAddress } from "./address.ts";
import { emit, type ForwardEvent } from "./events.ts";
import { messageOf } from "./plain_message.ts";
import type { Forwarder, ForwardStats } from "./forwarder.ts";
import { concernsOneConnection, listen, type Listener } from "./listen.ts";
import { ITSELF, OwnConnections } from "./own_connections.ts";
import { checkGrace, type Settings } from "./options.ts";
import { keptAlive, type Outcome, Session } from "./session.ts";

/** While the system has run out of something: as Go's net/http, doubling. */
const SHORTEST_BACK_OFF = 5;
const LONGEST_BACK_OFF = 1000;

/** How long accepting must have gone well before the same trouble is news again. */
const TROUBLE_FORGOTTEN = 10_000;

/** Forwards in this thread; `memory` is what the workers of a team share. */
export async function forwardAlone(
  settings: Settings,
  memory?: SharedArrayBuffer,
): Promise<Forwarder> {
  return new Accepting(settings, await listen(settings), memory);
}

class Accepting implements Forwarder {
  readonly address: string;
  readonly target: string;
  readonly finished: Promise<void>;
  readonly #settings: Settings;
  readonly #listener: Listener;
  readonly #own: OwnConnections | undefined;
  readonly #finish: () => void;
  readonly #sessions = new Set<Session>();
  #accepted = 0;
  #aToB = 0;
  #bToA = 0;
  /** Ends after the stop. Until then the platform has not let go of the address. */
  readonly #loop: Promise<void>;
  #stopped = false;
  #cutAt = Infinity;
  #cutTimer: ReturnType<typeof setTimeout> | undefined;
  /** Set while accepting waits for a session's end. */
  #wake: (() => void) | undefined;
  #trouble = "";
  #troubleAt = 0;

  constructor(settings: Settings, listener: Listener, memory?: SharedArrayBuffer) {
    this.#settings = settings;
    this.#listener = listener;
    if (mayLeadTo(settings.target, listener.addr)) {
      this.#own = new OwnConnections(memory ?? OwnConnections.memory());
    }
    this.address = formatDenoAddress(listener.addr);
    this.target = formatAddress(settings.target);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    this.#emit({ event: "listen", address: this.address, target: this.target });
    this.#loop = this.#accept();
    settings.signal?.addEventListener("abort", this.#onAbort);
    // It aborted while a stale socket was looked into.
    if (settings.signal?.aborted) this.#onAbort();
  }

  stats(): ForwardStats {
    let aToB = this.#aToB;
    let bToA = this.#bToA;
    for (const session of this.#sessions) {
      aToB += session.aToB.bytes;
      bToA += session.bToA.bytes;
    }
    return { open: this.#sessions.size, accepted: this.#accepted, aToB, bToA };
  }

  async shutdown(wanted?: number): Promise<void> {
    const grace = checkGrace(wanted, this.#settings.grace);
    if (!this.#stopped) {
      this.#stop();
      this.#emit({ event: "shutdown", open: this.#sessions.size, grace });
    }
    const cutAt = performance.now() + grace;
    if (cutAt < this.#cutAt) {
      this.#cutAt = cutAt;
      clearTimeout(this.#cutTimer);
      if (grace === 0) this.#cut();
      else if (this.#sessions.size > 0) this.#cutTimer = setTimeout(() => this.#cut(), grace);
    }
    await this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #onAbort = (): void => void this.shutdown();

  #stop(): void {
    this.#stopped = true;
    this.#listener.close();
    this.#settings.signal?.removeEventListener("abort", this.#onAbort);
    this.#wake?.();
    this.#finishIfDone();
  }

  #cut(): void {
    for (const session of this.#sessions) session.cut();
  }

  async #accept(): Promise<void> {
    const { maxConnections, once } = this.#settings;
    let backOff = SHORTEST_BACK_OFF;
    while (!this.#stopped) {
      if (this.#sessions.size >= maxConnections) {
        await this.#sessionEnd();
        continue;
      }
      try {
        const client: Deno.Conn = await this.#listener.accept();
        backOff = SHORTEST_BACK_OFF;
        const isOwn = await this.#own?.accepted(client);
        if (isOwn || this.#stopped) {
          client.close();
          if (isOwn) this.#report(this.#itself);
          continue;
        }
        this.#serve(client);
        if (once) this.#stop();
      } catch (error) {
        if (this.#stopped) return;
        if (concernsOneConnection(error)) continue;
        this.#report(`Cannot accept for now: ${messageOf(error)}`);
        await this.#sessionEnd(backOff);
        backOff = Math.min(backOff * 2, LONGEST_BACK_OFF);
      }
    }
  }

  #serve(client: Deno.Conn): void {
    const session = new Session(++this.#accepted, keptAlive(client));
    this.#sessions.add(session);
    const settings = this.#settings;
    if (settings.openEvents) this.#emit({ event: "open", ...session.connection(settings) });
    void session.run(
      settings,
      (outcome) => this.#ended(session, outcome),
      this.#leadsHere,
    );
  }

  get #itself(): string {
    return `Cannot connect to ${this.target}: ${ITSELF}`;
  }

  /** Whether a dialed connection leads to this forwarder, or to dial a Unix target would. */
  #leadsHere = (conn?: Deno.Conn): boolean => {
    if (conn !== undefined) return this.#own?.dialed(conn) ?? false;
    const { target } = this.#settings;
    return target.kind === "unix" && "isAt" in this.#listener && this.#listener.isAt(target.path);
  };

  #ended(session: Session, outcome: Outcome): void {
    const settings = this.#settings;
    this.#sessions.delete(session);
    this.#aToB += session.aToB.bytes;
    this.#bToA += session.bToA.bytes;
    if (this.#own?.ended(...session.conns)) {
      outcome = { reason: "error", error: this.#itself };
    }
    if (settings.onEvent !== undefined) this.#emit(session.closeEvent(outcome, settings));
    this.#wake?.();
    this.#finishIfDone();
  }

  /** Resolves at the next end of a session, at the stop, or after `timeout` milliseconds. */
  #sessionEnd(timeout?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeout === undefined ? undefined : setTimeout(() => this.#wake?.(), timeout);
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #finishIfDone(): void {
    if (!this.#stopped || this.#sessions.size > 0) return;
    clearTimeout(this.#cutTimer);
    void this.#loop.then(this.#finish);
  }

  /** Without file descriptors accepting fails again and again: that is one piece of news. */
  #report(trouble: string): void {
    const now = performance.now();
    const isNews = trouble !== this.#trouble || now - this.#troubleAt > TROUBLE_FORGOTTEN;
    this.#trouble = trouble;
    this.#troubleAt = now;
    if (isNews) this.#emit({ event: "error", error: trouble });
  }

  #emit(event: ForwardEvent): void {
    emit(event, this.#settings.onEvent);
  }
}

/** Whether connecting to the target may end at the listener; for all others there is nothing to note. */
function mayLeadTo(target: TargetAddress, listener: Deno.Addr): boolean {
  return target.kind === "tcp" && "port" in listener && target.port === listener.port;
}
