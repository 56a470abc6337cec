// What a pump reads from: the interface of sources. For the core, for `pipe` and `join`, and for adapters with a sink
// of their own.

import type { BufferPool } from "../buffer_pool.ts";
import type { Soon } from "./reusable_promise.ts";

/** What {@linkcode Source.take} gives at the end of the source. */
export const EOF: unique symbol = Symbol("end of file");

/** What {@linkcode Source.take} gives when a read brought nothing, although the source has not ended. */
export const NOTHING: unique symbol = Symbol("nothing read");

/**
 * What can be read. {@linkcode Source.pull} starts a read and {@linkcode Source.take} makes a chunk of its
 * result, in two steps: so the pump waits for the platform's own promise, and for no second one.
 *
 * @typeParam R What the platform's read gives.
 * @typeParam C The chunks.
 */
export interface Source<R = unknown, C = unknown> {
  /** Fulfils when the stream closes, rejects when it fails; `undefined` where only a read tells. */
  readonly closed?: Followable;
  /** Whether it uses a chunk's memory again once the chunk's write has settled. */
  readonly reusesMemory: boolean;
  /** Whether a chunk is a message: handed on whole, and counted as UTF-8 if it is a text. */
  readonly isOfMessages?: boolean;
  /**
   * Whether reads soon wait for the platform's events, so that the pump need not let others go on by itself. An
   * estimate: the next chunk may be there already.
   */
  readonly willWait?: boolean;
  /** Starts a read, of at most `most` bytes where the platform can be told so. */
  pull(most?: number): Soon<R>;
  /** Makes a chunk of the result of a read. */
  take(result: R): C | typeof EOF | typeof NOTHING;
  /** Called when the last chunk is given up, perhaps in mid-write: its memory must never be used again. */
  abandonChunk(): void;
  /**
   * Takes a pending read back: what it would have brought stays in the stream, which stays locked. Gives whether it
   * could.
   */
  cancelPull?(): boolean;
  /** Keeps what a pending read brings, which cannot be taken back, for whoever reads the Go-style end next. */
  leavePendingRead?(): void;
  /** Keeps bytes that were read and could not be passed on for whoever reads the Go-style end next. */
  putBack?(bytes: Uint8Array<ArrayBuffer>): void;
  /** Ends the source: cancels a stream, closes a Go-style end. Does not fail if a stream is errored already. */
  cancel(reason: unknown): void | Promise<void>;
  /** Unlocks a stream that has ended, so that whatever the stream belongs to can be closed. */
  unlock?(): void;
  /** The adapter's end that is read, if it is read past its streams. */
  readonly bypass?: object;
  /** Unlocks, and gives the memory back. `settled`: nothing that is under way can still touch that memory. */
  release(settled: boolean): void;
}

/** What can be followed by callbacks: a promise, or a `ReusablePromise`, which costs less. */
export interface Followable {
  then(fulfilled: () => void, rejected: (error: unknown) => void): unknown;
}

/** How a source gets the memory that it reads into. */
export interface SourceMemory {
  readonly pool: BufferPool;
  /** Whether the sink permits that a chunk's memory is used again once its write has settled ... */
  readonly permitsReuse: boolean;
  /** ... and whether that is for `consumesOnWrite` of a stream, and not for the nature of a Go-style sink. */
  readonly isSaid?: boolean;
  /** The caller's own buffer, in place of the pool's; for a Go-style source only. */
  readonly buffer?: Uint8Array<ArrayBuffer>;
}
