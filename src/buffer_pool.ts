// Public: `BufferPool`. The shared pool is for the core alone.

import { assertKnown, assertSize, refuse } from "./check/refuse.ts";

/** The smallest buffer that is lent, in bytes: an idle join holds two of them. */
export const MIN_BUFFER_SIZE = 512;
/** The largest buffer that is lent, in bytes: a larger one buys no throughput (loopback TCP, Linux). */
const MAX_BUFFER_SIZE = 1024 * 1024;

const DEFAULT_MAX_HELD = 2 * 1024 * 1024;
const DEFAULT_MAX_LENT = 16 * 1024 * 1024;
/** A borrower gets at most one part in this many of what is left. */
const SHARES = 4;
/** What every borrower may have where memory is short, in bytes ... */
const UNEARNED = 4 * 1024;
/** ... and for how many bytes moved as much again. A socket whose peer reads nothing takes up to 8 MB. */
const MOVED_UNIT = 8 * 1024 * 1024;

/** Options of {@linkcode BufferPool}. */
export interface BufferPoolOptions {
  /**
   * How many bytes of returned buffers the pool may keep for later borrowers. A buffer that is given back
   * beyond that is freed, at once where the platform can (`ArrayBuffer.transfer()`).
   *
   * @default {2097152}
   */
  maxHeld?: number;
  /**
   * How many bytes the pool may lend to all borrowers together; at least `maxBuffer`. The size of a lent
   * buffer follows what is left. A lone borrower gets the largest buffer, but at most a sixteenth of
   * `maxLent`. A late borrower gets a small buffer, and a larger one only after it has moved much without a
   * stall. Where nothing is left, a buffer has 512 bytes, so that no borrower fails or waits for others: each
   * such buffer may exceed `maxLent`.
   *
   * @default {16777216}
   */
  maxLent?: number;
  /**
   * The size of the largest buffer that is lent, in bytes; at most `maxHeld`. Rounded down to a power of two.
   *
   * @default {1048576}
   */
  maxBuffer?: number;
}

/**
 * Buffers for reading, lent and given back. {@linkcode join} and {@linkcode pipe} share one pool
 * unless the `pool` option names another.
 *
 * A buffer belongs to whom it was lent until {@linkcode BufferPool.release} or
 * {@linkcode BufferPool.writeOff} is called; its content is whatever the last borrower left.
 *
 * @example A pool of its own for a group of joins
 * ```ts
 * import { BufferPool, join, memoryPair } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const pool = new BufferPool({ maxHeld: 4 * 1024 * 1024 });
 * const [client, a] = memoryPair();
 * const [b, server] = memoryPair();
 * const joined = join(a, b, { pool });
 * await Promise.all([client.writable.close(), server.writable.close()]);
 * await joined;
 * assertEquals(pool.lent, 0);
 * ```
 */
export class BufferPool {
  /** The largest buffer that this pool lends, in bytes. */
  readonly maxBuffer: number;
  /** How many bytes this pool keeps for later borrowers at most. */
  readonly maxHeld: number;
  /** How many bytes this pool lends in all at most; 512 bytes for each borrower may come on top. */
  readonly maxLent: number;
  #held = 0;
  #lent = 0;
  /** The buffers that are held, by their length. There is a shelf for each length that has been lent. */
  readonly #shelves: Record<number, Uint8Array<ArrayBuffer>[]> = {};

  /**
   * Creates a pool that holds nothing yet.
   *
   * @param options How much it may hold and lend.
   * @throws {TypeError} If an option is unknown.
   * @throws {RangeError} If an option is not an integer of at least 512 bytes, or if `maxBuffer` is more
   * than `maxHeld` or `maxLent`.
   */
  constructor(options?: BufferPoolOptions) {
    const action = "create a pool";
    assertKnown(action, options ?? {}, ["maxHeld", "maxLent", "maxBuffer"]);
    const { maxHeld = DEFAULT_MAX_HELD, maxLent = DEFAULT_MAX_LENT } = options ?? {};
    assertSize(action, "maxHeld", maxHeld, MIN_BUFFER_SIZE);
    assertSize(action, "maxLent", maxLent, MIN_BUFFER_SIZE);
    const { maxBuffer = Math.min(MAX_BUFFER_SIZE, maxHeld, maxLent) } = options ?? {};
    assertSize(action, "maxBuffer", maxBuffer, MIN_BUFFER_SIZE, Math.min(maxHeld, maxLent));
    this.maxHeld = maxHeld;
    this.maxLent = maxLent;
    this.maxBuffer = powerOfTwo(maxBuffer);
  }

  /** Bytes that lie in the pool, ready to be lent. */
  get held(): number {
    return this.#held;
  }

  /** Bytes that are lent and neither given back nor written off. */
  get lent(): number {
    return this.#lent;
  }

  /**
   * Lends a buffer.
   *
   * @param size How many bytes the borrower wishes for.
   * @param moved How many bytes the borrower has moved since it last had to wait for its sink. The more, the
   * larger is its buffer where memory is short.
   * @returns A buffer of the next power of two, or of what {@linkcode BufferPoolOptions.maxLent} leaves
   * for one borrower; at least 512 bytes.
   * @throws {RangeError} If `size` is not a positive integer of at most
   * {@linkcode BufferPool.maxBuffer}.
   */
  acquire(size: number, moved = 0): Uint8Array<ArrayBuffer> {
    assertSize("lend a buffer", "size", size, 1, this.maxBuffer);
    const most = this.#grantable(moved);
    let length = MIN_BUFFER_SIZE;
    while (length < size && length < most) length *= 2;
    this.#lent += length;
    const buffer = (this.#shelves[length] ??= []).pop();
    if (buffer) this.#held -= length;
    return buffer ?? new Uint8Array(length);
  }

  /**
   * Takes a buffer back. All reads and writes of the buffer must have settled: the next borrower overwrites
   * its bytes.
   *
   * @param buffer The whole buffer, as it was lent (or as a BYOB read transferred it).
   * @throws {RangeError} If the buffer has no size that this pool has lent: if it is a part of a buffer, or
   * detached.
   */
  release(buffer: Uint8Array<ArrayBuffer>): void {
    const length = buffer.byteLength;
    const shelf = this.#shelves[length];
    if (!shelf || length !== buffer.buffer.byteLength) {
      refuse("take it back", "buffer", "must be whole, as it was lent", length, RangeError);
    }
    this.#lent -= length;
    if (this.#held + length > this.maxHeld) {
      // Frees it at once: after a burst nothing may happen any more that would collect garbage.
      buffer.buffer.transfer?.(0);
      return;
    }
    shelf.push(buffer);
    this.#held += length;
  }

  /**
   * Gives a lent buffer up, which was handed over for good, or whose read or write has not settled.
   *
   * @param length The buffer's length in bytes.
   */
  writeOff(length: number): void {
    this.#lent -= length;
  }

  /**
   * The first half of the budget is for every borrower: each gets a part of what is left of it. The second half is
   * for borrowers that move, and what one gets of it grows with the square of the bytes it has moved. So of a
   * thousand borrowers that have stalled one after the other each holds 4 KiB of the second half, and a borrower
   * that comes after them gets 64 KiB once it has moved 32 MiB, and 1 MiB after 128 MiB.
   */
  #grantable(moved: number): number {
    const left = this.maxLent - this.#lent;
    const common = (left - this.maxLent / 2) / SHARES;
    const earned = Math.min(left / SHARES, UNEARNED * (1 + (moved / MOVED_UNIT) ** 2));
    return powerOfTwo(Math.max(common, earned, MIN_BUFFER_SIZE));
  }
}

/** The largest power of two up to `size`. */
function powerOfTwo(size: number): number {
  return 2 ** Math.floor(Math.log2(size));
}

/** The pool of all joins and pipes without a `pool` option. */
export const sharedPool: BufferPool = new BufferPool();
