// How an adapter's end is used past its two streams; for the core and for adapters.

import { BYPASS } from "../check/marks.ts";
import type { Meter } from "./meter.ts";
import type { ReusablePromise, Soon } from "./reusable_promise.ts";
import type { Sink } from "./sink.ts";

/** The key under which a {@linkcode Bypass} says how much of its last write has been taken. */
export const TAKEN: unique symbol = Symbol("taken");

/** Who uses an end past its streams. */
export interface BypassUser {
  /** The end has failed while no write waited that could have told so. */
  onFailure(error: unknown): void;
}

/**
 * An adapter's end, used directly: it brings chunks of its own instead of filling memory of ours. A chunk
 * belongs to the receiver for good, unless the receiver says by {@linkcode Bypass.spent} that it is done with it.
 *
 * @typeParam C Its chunks, both ways.
 */
export interface Bypass<C = Uint8Array<ArrayBuffer>> {
  /** Who uses it: nobody else may, neither directly nor by its streams. */
  readonly user?: BypassUser;
  attach(user: BypassUser): void;
  /** Its user is done with it; the platform's object goes back to its owner if it is still open. */
  detach(): void;
  /** Whether a chunk's memory may be used again once its write has settled. */
  readonly consumesOnWrite: boolean;
  /** Bytes of the last write that may have reached the peer, although that write has failed or was broken off. */
  readonly [TAKEN]?: number;
  /** Starts a read. Gives a chunk, or `null` at the end of file, or a promise of that. */
  pull(): Soon<C | null>;
  /** What a pending read brings is kept for the next read. */
  cancelPull(): void;
  /** Rejects when bytes that wait unread are given up, which a pump that is stuck in a write would not see. */
  readonly lost?: ReusablePromise<never>;
  /** The memory of the last chunk may be used again. */
  spent?(chunk: C): void;
  /** Starts a write. Gives how many of the bytes were taken, at least 1, or a promise of that. */
  write(bytes: C): Soon<number>;
  /** The sink that writes to it, for an end of messages; the default is a `BypassSink`, of bytes. */
  openSink?(meter: Meter): Sink;
  /** Ends the writing alone, or the whole end if it cannot half-close. */
  closeWrite(): unknown;
  /** Closes it. */
  close(): unknown;
  /** Closes it so that the peer sees a failure. */
  abort(reason: unknown): unknown;
}

/** The bypass of `end`; `undefined` if it has none, or none any more since its streams have been asked for. */
export function bypassOf(end: unknown): Bypass<unknown> | undefined {
  return (Object(end) as { [BYPASS]?: Bypass<unknown> })[BYPASS];
}
