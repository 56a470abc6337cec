// The memory that a source reads into: how large it is, and whether a chunk is lent, copied or handed over. For
// sources alone; Node's own sockets read into `adapters/node/read_buffer.ts`, by the same rules.

import { type BufferPool, MIN_BUFFER_SIZE } from "../buffer_pool.ts";
import { turns } from "./turns.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The memory that a source reads into, one read at a time. */
export interface ReadMemory {
  /** Whether a chunk's memory is used again once its write has settled; else a chunk is the sink's for good. */
  readonly isReused: boolean;
  /** Whether the last read was a message that has emptied the source: the next read will wait. */
  readonly isSourceEmptied: boolean;
  /** What to read into next, at most `most` bytes. */
  view(most?: number): Bytes;
  /**
   * Makes a chunk of the `length` bytes that the read has put into the view. A BYOB read detaches the view, and
   * brings its memory back as `transferred`.
   */
  filled(length: number, transferred?: Bytes): Bytes;
  /** Gives the memory of the last chunk up; `settled` if no read and no write of it is still under way. */
  release(settled: boolean): void;
}

/** How the size of a buffer follows what reads use of it. */
export interface SizePolicy {
  /** A buffer that is more times larger than a read needs is replaced by a smaller one. */
  readonly maxSlack: number;
  /** How many times larger the buffer is after a read that filled it. */
  readonly growth: number;
  /** Whether a read that came short has emptied the source, as a socket's has: the next one will wait. */
  readonly probes: boolean;
}

/** A buffer that is handed over, or copied whole, costs what it has room for. */
const MAX_SLACK_OF_KEPT = 2;
/** Memory that is used again costs nothing while it is empty. */
const MAX_SLACK_OF_REUSED = 8;

/** Bun copies a stream's buffer, all of it, where other runtimes transfer it. */
export const STREAM: SizePolicy = { maxSlack: MAX_SLACK_OF_KEPT, growth: 4, probes: false };
const KEPT: SizePolicy = { maxSlack: MAX_SLACK_OF_KEPT, growth: 4, probes: true };
const REUSED: SizePolicy = { maxSlack: MAX_SLACK_OF_REUSED, growth: 16, probes: true };

/** The buffer of a read that will wait, in bytes: what a message needs, and an idle join can afford. */
export const PROBE_SIZE = 4 * 1024;
/** How many full reads in a row it takes at most until a larger buffer is tried again. */
const MAX_PATIENCE = 64;
/** A write that takes longer than this, in milliseconds, has stalled. */
const STALL_MS = 50;
/** The clock is not read for a smaller buffer. */
const MIN_TIMED_SIZE = 128 * 1024;

/**
 * A buffer of the pool's that follows the traffic and the company: several times as large after a read that
 * filled it, back to what a read used that left most of it empty, and never more than this pump's share of the
 * thread or of the pool.
 */
export class PooledMemory implements ReadMemory {
  readonly isReused: boolean;
  isSourceEmptied = false;
  readonly #pool: BufferPool;
  readonly #policy: SizePolicy;
  /** The size that the traffic asks for. */
  #size = MIN_BUFFER_SIZE;
  /** The bound of that while a probe waits, and while what it has found grows. */
  #maxSize = Infinity;
  #buffer?: Bytes;
  /** The buffer's length; its own reads 0 while a BYOB read has it detached. */
  #length = 0;
  #fullReads = 0;
  /** How many full reads in a row it takes now until a larger buffer is tried. */
  #patience = 1;
  /** No read has yet used the present size. */
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
   * Memory that is handed over half empty is what costs most (Deno, 64 KiB chunks: 12 µs in 128 KiB, 8 in 64),
   * so a size that was tried in vain is not soon tried again.
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

/** The caller's own buffer, as in Go's `io.CopyBuffer`. */
export class CallersMemory implements ReadMemory {
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
