// What a pump reads from: the interface of sources; for the core alone.

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
  /** Follows the stream's state; `undefined` where only a read tells. */
  readonly closed?: Followable;
  /** Whether it uses a chunk's memory again once the chunk's write has settled. */
  readonly reusesMemory: boolean;
  /** Whether a chunk is a message: handed on whole, and counted as UTF-8 if it is a text. */
  readonly isOfMessages?: boolean;
  /** Whether the next read waits for the platform's events, which lets all other pumps go on meanwhile. */
  readonly willWait?: boolean;
  /** Starts a read, of at most `most` bytes where the platform can be told so. */
  pull(most?: number): Soon<R>;
  /** Makes a chunk of the result of a read. */
  take(result: R): C | typeof EOF | typeof NOTHING;
  /** The write of the last chunk goes on unwatched: the chunk's memory must not be touched again. */
  abandonChunk(): void;
  /** Cancels a pending read, so that what it would have brought stays in the stream, which stays locked. */
  cancelPull?(): void;
  /** Leaves a pending read, which cannot be cancelled, to whoever reads the same object next. */
  leavePendingRead?(): void;
  /** Leaves the last bytes of a chunk, which were not passed on, to whoever reads the same object next. */
  putBack?(bytes: Uint8Array<ArrayBuffer>): void;
  /** Ends the source as `ReadableStream.cancel()` does; no failure if the stream is errored already. */
  cancel(reason: unknown): void | Promise<void>;
  /** Unlocks a stream that has ended, so that whatever the stream belongs to can be closed. */
  unlock?(): void;
  /** The adapter's end whose chunks these are, where its streams are bypassed. */
  readonly bypass?: object;
  /** Unlocks. `settled` tells that no read, and no write of what was read, is still under way. */
  release(settled: boolean): void;
}

/** What can be followed by callbacks: a promise, or what costs less. */
export interface Followable {
  then(fulfilled: () => void, rejected: (error: unknown) => void): unknown;
}

/** How a source gets the memory that it reads into. */
export interface SourceMemory {
  readonly pool: BufferPool;
  /** Whether the sink permits that a chunk's memory is used again once its write has settled ... */
  readonly permitsReuse: boolean;
  /** ... which somebody has said (`consumesOnWrite`), and which is not just so of every sink of this kind. */
  readonly isSaid?: boolean;
  /** Memory of the caller's. */
  readonly buffer?: Uint8Array<ArrayBuffer>;
}
