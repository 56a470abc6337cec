import { isObject } from "./ends.ts";

/** Under this name an adapter's end offers its own way into the pump, past its two streams. */
export const DIRECT: unique symbol = Symbol("direct");

/**
 * A Go-style end that brings chunks of its own instead of filling ours, in the two steps of a source.
 * Its chunks are the receiver's for good.
 */
export interface Direct {
  /** Whether the readable half is in use. */
  reading: boolean;
  /** Who has the writable half, to be told of a failure when no write waits for it. */
  writer?: { readonly watcher?: { closedEarly(error: unknown): void } };
  /** Whether a chunk's memory may be used again once its write has settled. */
  readonly consumesOnWrite: boolean;
  /** Starts a read: its result, or a promise of it. */
  pull(): unknown;
  /** The chunk in the result of a read; `null` at the end of file. */
  take(result: unknown): Uint8Array<ArrayBuffer> | null;
  /** Rejects when what waits unread is given up, for a pump that is stuck in a write and asks for nothing. */
  readonly lost?: Wait<never>;
  /** Nobody needs the last chunk any more. */
  spent?(chunk: Uint8Array<ArrayBuffer>): void;
  /** Starts a write: how many of the bytes were taken, at least 1, or a promise of it. */
  write(bytes: Uint8Array<ArrayBuffer>): unknown;
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
  #receiver?: Receiver;
  #turn = 0;
  #settled?: () => void;

  follow(receiver: Receiver, turn: number): void {
    this.#receiver = receiver;
    this.#turn = turn;
    const settled = this.#settled;
    this.#settled = undefined;
    settled?.();
  }

  then(fulfilled: (value: T) => void, rejected: (error: unknown) => void): void {
    this.follow({ came: (value) => fulfilled(value as T), refused: rejected }, 0);
  }

  fulfil(value: T): void {
    const receiver = this.#receiver;
    if (!receiver) this.#settled = () => this.fulfil(value);
    this.#receiver = undefined;
    receiver?.came(value, this.#turn);
  }

  reject(error: unknown): void {
    const receiver = this.#receiver;
    if (!receiver) this.#settled = () => this.reject(error);
    this.#receiver = undefined;
    receiver?.refused(error, this.#turn);
  }
}

/** The way past the streams; `undefined` once somebody has asked for them, and may have used them. */
export function directOf(end: unknown): Direct | undefined {
  return isObject(end) && DIRECT in end ? (end as { [DIRECT]?: Direct })[DIRECT] : undefined;
}
