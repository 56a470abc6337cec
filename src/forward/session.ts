// One connection, from connecting to the target to its end; for `thread_forwarder.ts` alone.

import type { Counts } from "../counts.ts";
import { join } from "../join/join.ts";
import type { JoinStats } from "../join/options.ts";
import { formatAddress, formatDenoAddress } from "./address.ts";
import { DiscardEnd, EchoEnd } from "./builtin.ts";
import { dial } from "./dial.ts";
import type { CloseEvent, ConnectionEvent } from "./events.ts";
import { keptAlive } from "./keep_alive.ts";
import type { LoopGuard } from "./loop_guard.ts";
import { connectFailure, CUT, joinFailure, loopFailure, type Outcome } from "./outcome.ts";
import type { Settings } from "./settings.ts";

type Target = Deno.Conn | EchoEnd | DiscardEnd;

/** What all sessions of a forwarder share: an idle session is to hold as little as possible. */
export interface SessionOwner {
  readonly settings: Settings;
  readonly guard: LoopGuard;
  /** Called once, when the session has ended. */
  onEnd(session: Session, outcome: Outcome): void;
}

/** The counts of every session whose join has not begun. */
const NOTHING: Readonly<Counts> = { bytes: 0, chunks: 0 };

/** One accepted connection. It is itself the `stats` object of its join, which saves memory. */
export class Session implements JoinStats {
  /** What the target has taken so far. */
  aToB: Counts = NOTHING;
  /** What the client has taken so far. */
  bToA: Counts = NOTHING;
  readonly #id: number;
  readonly #client: Deno.Conn;
  readonly #owner: SessionOwner;
  readonly #acceptedAt = performance.now();
  /** Aborts the dialing; `undefined` unless the target is being dialed. */
  #dialing?: AbortController;
  /** `undefined` until it is connected. */
  #target?: Target;
  #isCut = false;

  /** Takes the client's connection over. */
  constructor(id: number, client: Deno.Conn, owner: SessionOwner) {
    this.#id = id;
    this.#client = keptAlive(client);
    this.#owner = owner;
  }

  /**
   * Connects to the target and starts the join. Never rejects, as what fails concerns this connection only.
   * Fulfils once the join has begun and not when it ends: an async function that waits as long as the join
   * lasts costs 0.5 KiB for each idle connection (V8).
   */
  async run(): Promise<void> {
    const { target: address, join: options } = this.#owner.settings;
    let target: Target;
    try {
      target = await this.#connect();
    } catch (error) {
      this.#client.close();
      return this.#end(connectFailure(address, error, this.#isCut));
    } finally {
      this.#dialing = undefined;
    }
    this.#target = target;
    // The cut may have come when the target was connected, and this function had not heard of that yet.
    if (this.#isCut) this.#closeBoth();
    join(this.#client, target, { ...options, stats: this }).then(
      ({ reason }) => this.#end({ reason }),
      (error) => this.#end(this.#isCut ? CUT : joinFailure(error)),
    );
  }

  /**
   * Cuts the connection: the shutdown's grace is over. Closing both sides ends the join as a signal would,
   * but without the memory of a signal for each connection (Deno 2.9: 0.8 KiB).
   */
  cut(): void {
    this.#isCut = true;
    this.#dialing?.abort();
    this.#closeBoth();
  }

  /** The part that all events of the session have in common. */
  describe(): ConnectionEvent {
    const { listen, target } = this.#owner.settings;
    // The client of a Unix socket has no address of its own.
    const from = listen.kind === "unix"
      ? formatAddress(listen)
      : formatDenoAddress(this.#client.remoteAddr);
    return { id: this.#id, from, to: formatAddress(target) };
  }

  /** The event of the session's end. */
  closeEvent(outcome: Outcome): CloseEvent {
    return {
      event: "close",
      ...this.describe(),
      aToB: this.aToB.bytes,
      bToA: this.bToA.bytes,
      ms: Math.round(performance.now() - this.#acceptedAt),
      ...outcome,
    };
  }

  #connect(): Target | Promise<Target> {
    const { settings: { target, connectTimeout }, guard } = this.#owner;
    switch (target.kind) {
      case "echo":
        return new EchoEnd();
      case "discard":
        return new DiscardEnd();
      default:
        this.#dialing = new AbortController();
        return dial(target, connectTimeout, this.#dialing, guard).then(keptAlive);
    }
  }

  #end(outcome: Outcome): void {
    const { settings, guard } = this.#owner;
    const target = this.#target;
    const dialed = target !== undefined && "localAddr" in target ? target : undefined;
    const isLoop = guard.forget(this.#client, dialed);
    this.#owner.onEnd(this, isLoop ? loopFailure(settings.target) : outcome);
  }

  /** Closes client and target, unless the target is not connected yet. */
  #closeBoth(): void {
    if (this.#target === undefined) return;
    for (const end of [this.#client, this.#target]) closeQuietly(end);
  }
}

function closeQuietly(end: { close(): void }): void {
  try {
    end.close();
  } catch {
    // The join has closed it already.
  }
}
