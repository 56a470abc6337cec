// The way from an adapter's end to the pump past the two streams of the end, and `Wait`, a promise that can
// be used again. For the core and for adapters.

import type { Meter } from "./meter.ts";
import type { Sink } from "./sink.ts";

/** Under this name an adapter's end offers its own way into the pump, past its two streams. */
export const DIRECT: unique symbol = Symbol("direct");

/** Under this name it says how much of its last write has been taken. */
export const TAKEN: unique symbol = Symbol("taken");

/**
 * A Go-style end that brings chunks of its own instead of filling ours. They are the receiver's for good,
 * unless it says that one is spent.
 */
export interface Direct {
  /** Who has both halves, to be told of a failure when no write waits for it. */
  user?: { readonly watcher?: { closedEarly(error: unknown): void } };
  /** Whether a chunk's memory may be used again once its write has settled. */
  readonly consumesOnWrite: boolean;
  /**
   * Bytes of the last write that were taken, or may have been: so many can have reached the peer although
   * the write has failed or been broken off.
   */
  readonly [TAKEN]?: number;
  /** Starts a read: a chunk, or a promise of one; `null` at the end of file. */
  pull(): unknown;
  /** Nobody waits for what the last read would have brought. */
  forgetRead(): void;
  /** Rejects when what waits unread is given up, for a pump that is stuck in a write and asks for nothing. */
  readonly lost?: Wait<never>;
  /** Nobody needs the last chunk any more. */
  spent?(chunk: Uint8Array<ArrayBuffer>): void;
  /** Starts a write: how many of the bytes were taken, at least 1, or a promise of it. */
  write(bytes: Uint8Array<ArrayBuffer>): unknown;
  /** What writes to it, where that is no `DirectSink`: chunks are messages. */
  openSink?(meter: Meter): Sink;
  /** Ends the writing alone, or the whole end if it cannot half-close. */
  closeWrite(): unknown;
  /** Closes it. */
  close(): unknown;
  /** Closes it so that the peer sees a failure. */
  abort(reason: unknown): unknown;
}

/** Who waits: called back with the turn that it gave, so that it can tell what it no longer waits for. */
export interface Receiver {
  came(result: unknown, turn: number): void;
  refused(error: unknown, turn: number): void;
}

/**
 * What a waiting `pull()` or `write()` of a {@linkcode Direct} returns: a promise for one that asks at
 * once. It calls back at once, too, and can be used again: so a message costs no promise.
 */
export class Wait<T> {
  /** `undefined` when nobody waits, `null` when who does has not followed it yet. */
  #receiver?: Receiver | null;
  #turn = 0;
  #settled?: (receiver: Receiver, turn: number) => void;

  /** Somebody waits from here on, who will follow it. */
  begin(): this {
    this.#receiver = null;
    return this;
  }

  /** Nobody waits any more. */
  giveUp(): void {
    this.#receiver = undefined;
  }

  follow(receiver: Receiver, turn: number): void {
    const settled = this.#settled;
    this.#settled = undefined;
    if (settled) return settled(receiver, turn);
    this.#receiver = receiver;
    this.#turn = turn;
  }

  then(fulfilled: (value: T) => void, rejected: (error: unknown) => void): void {
    this.follow({ came: fulfilled as Receiver["came"], refused: rejected }, 0);
  }

  /** Tells whether anybody has waited. */
  fulfil(value: T): boolean {
    return this.#settle("came", value);
  }

  /** The same. */
  reject(error: unknown): boolean {
    return this.#settle("refused", error);
  }

  #settle(how: keyof Receiver, result: unknown): boolean {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver === null) this.#settled = (late, turn) => late[how](result, turn);
    else receiver?.[how](result, this.#turn);
    return receiver !== undefined;
  }
}

/** The way past the streams; `undefined` once somebody has asked for them, and may have used them. */
export function directOf(end: unknown): Direct | undefined {
  return (Object(end) as { [DIRECT]?: Direct })[DIRECT];
}
