// The memory that a source reads into: how large it is, and whether a chunk is lent, copied or handed over. For
// sources and what opens them; Node's own sockets have `adapters/node/read_buffer.ts`, with simpler rules.

import { type BufferPool, MIN_BUFFER_SIZE } from "../buffer_pool.ts";
import { turns } from "./turns.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The memory that a source reads into, one read at a time. */
export interface ReadMemory {
  /** Whether a chunk's memory is used again once its write has settled; else a chunk is the sink's for good. */
  readonly isReused: boolean;
  /** Whether the last read came short, and brought less than 4 KiB: the next read will probably wait. */
  readonly isSourceEmptied: boolean;
  /** What to read into next, at most `most` bytes. */
  view(most?: number): Bytes;
  /**
   * Makes a chunk of the `length` bytes that the read has put into the view. A BYOB read detaches the view, and
   * brings the memory back: `transferred` is the whole buffer.
   */
  filled(length: number, transferred?: Bytes): Bytes;
  /** Gives the buffer back if `settled`. If not, a read or a write may still use it, and it is written off. */
  release(settled: boolean): void;
}

/** How the size of a buffer follows what reads use of it. */
export interface SizePolicy {
  /** A buffer at least this many times as large as what a read brought is replaced by a smaller one. */
  readonly maxSlack: number;
  /** How many times larger the next size to be tried is, after enough full reads. */
  readonly growth: number;
  /**
   * Whether a short read means that the source is empty, as a socket's does: the next read will wait, so it gets at
   * most {@linkcode PROBE_SIZE} (a probe).
   */
  readonly probes: boolean;
}

/** Small where a buffer is handed over, or copied whole: it costs all that it has room for. */
const MAX_SLACK_OF_KEPT = 2;
/** Large where memory is used again: the unused part of a buffer costs little. */
const MAX_SLACK_OF_REUSED = 8;

/** For BYOB reads. Bun copies the whole buffer, where other runtimes transfer it: so the slack is small. */
export const STREAM: SizePolicy = { maxSlack: MAX_SLACK_OF_KEPT, growth: 4, probes: false };
const KEPT: SizePolicy = { maxSlack: MAX_SLACK_OF_KEPT, growth: 4, probes: true };
const REUSED: SizePolicy = { maxSlack: MAX_SLACK_OF_REUSED, growth: 16, probes: true };

/** The largest buffer of a read that will wait, in bytes: what a message needs, and an idle join can afford. */
export const PROBE_SIZE = 4 * 1024;
/** How many full reads in a row it takes at most until a larger buffer is tried again. */
const MAX_PATIENCE = 64;
/** If the next read comes later than this, in milliseconds, the direction has stalled. */
const STALL_MS = 50;
/** The clock is not read for a smaller buffer. */
const MIN_TIMED_SIZE = 128 * 1024;

/**
 * A buffer of the pool. It grows after full reads, shrinks to fit a read that left most of it empty, and is never
 * larger than a pump's present share of the thread (`turns.share`) or than what the pool grants.
 */
export class PooledMemory implements ReadMemory {
  readonly isReused: boolean;
  isSourceEmptied = false;
  readonly #pool: BufferPool;
  readonly #policy: SizePolicy;
  /** The size that the traffic asks for. */
  #size = MIN_BUFFER_SIZE;
  /** The bound of `#size`: {@linkcode PROBE_SIZE} after a short read, raised by `growth` after each full one. */
  #maxSize = Infinity;
  #buffer?: Bytes;
  /** The length of `#buffer`, kept as `#buffer.length` is 0 while a BYOB read has the buffer detached. */
  #length = 0;
  #fullReads = 0;
  /** How many full reads in a row it takes now until a larger buffer is tried. */
  #patience = 1;
  /** The size has just grown, and no read that came short has yet used enough of it. */
  #isTrial = false;
  /** Bytes since the last stall. */
  #moved = 0;
  #filledAt = 0;

  constructor(pool: BufferPool, isReused: boolean, policy = isReused ? REUSED : KEPT) {
    this.#pool = pool;
    this.isReused = isReused;
    this.#policy = policy;
  }

  view(most = Infinity): Bytes {
    const buffer = this.#nextBuffer();
    return buffer.length > most ? buffer.subarray(0, most) : buffer;
  }

  filled(length: number, transferred: Bytes = this.#buffer!): Bytes {
    const size = this.#length;
    this.#buffer = transferred;
    this.#moved += length;
    if (size >= MIN_TIMED_SIZE) this.#filledAt = performance.now();
    // A buffer that others, or a probe, have kept small tells nothing of what reads would use.
    if (size === this.#size) {
      if (length === size) this.#grow();
      else if (length * this.#policy.maxSlack <= size) this.#shrink(length);
      else this.#isTrial = false;
    }
    if (this.#policy.probes) {
      this.#maxSize = length < size ? PROBE_SIZE : this.#grown(this.#maxSize);
      this.isSourceEmptied = length < size && length < PROBE_SIZE;
    }
    if (!this.isReused) {
      if (length * 2 <= size) return transferred.slice(0, length);
      this.release(false);
    }
    return length === size ? transferred : transferred.subarray(0, length);
  }

  release(settled: boolean): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    // A BYOB read that has failed keeps the buffer, as one that never settles.
    if (settled && buffer.length === this.#length) this.#pool.release(buffer);
    else this.#pool.writeOff(this.#length);
    this.#buffer = undefined;
  }

  #nextBuffer(): Bytes {
    if (this.#length >= MIN_TIMED_SIZE && performance.now() - this.#filledAt > STALL_MS) {
      this.#moved = 0;
    }
    const size = Math.min(this.#size, this.#maxSize, turns.share, this.#pool.maxBuffer);
    if (this.#buffer !== undefined) {
      // A BYOB read that has failed keeps the buffer.
      if (this.#buffer.length !== this.#length) this.release(false);
      else if (this.#length === size) return this.#buffer;
      else this.#pool.release(this.#buffer);
    }
    const buffer = this.#pool.acquire(size, this.#moved);
    this.#length = buffer.length;
    return this.#buffer = buffer;
  }

  #grow(): void {
    if (++this.#fullReads < this.#patience) return;
    this.#fullReads = 0;
    this.#size = Math.min(this.#grown(this.#size), this.#pool.maxBuffer);
    this.#isTrial = true;
  }

  #grown(size: number): number {
    return size < PROBE_SIZE ? PROBE_SIZE : size * this.#policy.growth;
  }

  /**
   * Fits the size to a read of `length` bytes. A size that was tried in vain is not soon tried again: memory that is
   * handed over half empty costs most (Deno, a chunk of 64 KiB: 12 µs in 128 KiB, 8 µs in 64 KiB).
   */
  #shrink(length: number): void {
    this.#patience = this.#isTrial ? Math.min(this.#patience * 4, MAX_PATIENCE) : 1;
    this.#isTrial = false;
    this.#fullReads = 0;
    const fitting = 2 ** Math.ceil(Math.log2(length));
    const roomy = this.#policy.maxSlack > 2 ? fitting * 2 : fitting;
    this.#size = Math.max(roomy, MIN_BUFFER_SIZE);
  }
}

/** A fixed buffer: the caller's, as in Go's `io.CopyBuffer`, or a stream's own. */
export class FixedMemory implements ReadMemory {
  readonly isReused: boolean;
  readonly isSourceEmptied = false;
  readonly #buffer: Bytes;

  constructor(buffer: Bytes, isReused: boolean) {
    this.#buffer = buffer;
    this.isReused = isReused;
  }

  view(most = Infinity): Bytes {
    return this.#buffer.length > most ? this.#buffer.subarray(0, most) : this.#buffer;
  }

  filled(length: number): Bytes {
    return this.isReused ? this.#buffer.subarray(0, length) : this.#buffer.slice(0, length);
  }

  release(): void {}
}
