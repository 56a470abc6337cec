// The buffer that a source reads into: how large it is, and whether a chunk is lent, copied or handed over.
// For sources alone.

import { type BufferPool, SMALLEST_BUFFER } from "../buffer_pool.ts";
import { turns } from "./turns.ts";

/** The buffer that a source reads into. */
export interface Loan {
  /** Whether the sink is done with a chunk once its write has settled. */
  readonly reused: boolean;
  /** The last read was a message that has emptied the source. */
  readonly emptied: boolean;
  /** The buffer for the next read. */
  view(): Uint8Array<ArrayBuffer>;
  /** A read has put `length` bytes into `buffer`: the chunk for the sink. */
  filled(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer>;
  /** Ends with the last chunk's buffer; `settled` if no read or write of it is still under way. */
  end(settled: boolean): void;
}

/** What is read, and so which buffers suit it. */
export interface Habit {
  /** So many times as large as a read may a buffer be. */
  readonly slack: number;
  /** So many times as large as before is it after a read that filled it. */
  readonly growth: number;
  /** Whether a read that came short has emptied the source, as a socket's has: the next one will wait. */
  readonly probes: boolean;
}

/** Memory that stays empty costs something. */
const SNUG = 2;
const ROOMY = 8;

/** Bun copies a stream's buffer, all of it, where others hand it over. */
export const STREAM: Habit = { slack: SNUG, growth: 4, probes: false };
/** A buffer that is handed over, half empty, costs as much as a full one. */
export const KEPT: Habit = { slack: SNUG, growth: 4, probes: true };
/** The memory of what is used again costs nothing. */
export const LENT: Habit = { slack: ROOMY, growth: 16, probes: true };

/** How many full reads in a row it takes at most to try a larger buffer again. */
const MAX_PATIENCE = 64;
/** The buffer of a read that will wait: what a message needs, and an idle join can afford. */
const PROBE = 4 * 1024;
/** A write that takes longer than so many milliseconds has stalled. */
const STALL_MS = 50;
/** The time is not looked at for less. */
const SMALLEST_TIMED = 128 * 1024;

/**
 * A buffer of the pool's that follows the traffic and the company: four times as large after a read that
 * filled it, back to what a read used that left most of it empty, and never more than this pump's share
 * of the thread or of the pool.
 */
export class PooledLoan implements Loan {
  readonly #pool: BufferPool;
  readonly reused: boolean;
  emptied = false;
  readonly #habit: Habit;
  #size = SMALLEST_BUFFER;
  /** The most for now: a probe waits, or has found more. */
  #most = Infinity;
  #buffer?: Uint8Array<ArrayBuffer>;
  /** The buffer's length; its own reads 0 while a BYOB read has it detached. */
  #lent = 0;
  #fullReads = 0;
  #patience = 1;
  /** The size is larger than any read has used so far. */
  #tried = false;
  /** Bytes since the last stall. */
  #moved = 0;
  #filledAt = 0;

  constructor(pool: BufferPool, reused: boolean, habit: Habit = reused ? LENT : KEPT) {
    this.#pool = pool;
    this.reused = reused;
    this.#habit = habit;
  }

  view(): Uint8Array<ArrayBuffer> {
    if (this.#lent >= SMALLEST_TIMED && performance.now() - this.#filledAt > STALL_MS) {
      this.#moved = 0;
    }
    const size = Math.min(this.#size, this.#most, turns.share, this.#pool.maxBuffer);
    if (this.#buffer !== undefined) {
      // A BYOB read that fails keeps the buffer.
      if (this.#buffer.length !== this.#lent) this.end(false);
      else if (this.#lent === size) return this.#buffer;
      else this.#pool.release(this.#buffer);
    }
    const buffer = this.#pool.acquire(size, this.#moved);
    this.#lent = buffer.length;
    return this.#buffer = buffer;
  }

  filled(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
    const size = this.#lent;
    this.#buffer = buffer;
    this.#moved += length;
    if (size >= SMALLEST_TIMED) this.#filledAt = performance.now();
    // A buffer that others or a probe have kept small tells nothing of what reads would use.
    if (size === this.#size) {
      if (length === size) this.#grow();
      else if (length * this.#habit.slack <= size) this.#shrink(length);
      else this.#tried = false;
    }
    if (this.#habit.probes) {
      this.#most = length < size ? PROBE : this.#grown(this.#most);
      this.emptied = length < size && length < PROBE;
    }
    if (!this.reused) {
      if (length * 2 <= size) return buffer.slice(0, length);
      this.end(false);
    }
    return length === size ? buffer : buffer.subarray(0, length);
  }

  end(settled: boolean): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    // A BYOB read that failed keeps the buffer, as one that never settles.
    if (settled && buffer.length === this.#lent) this.#pool.release(buffer);
    else this.#pool.writeOff(this.#lent);
    this.#buffer = undefined;
  }

  #grow(): void {
    if (++this.#fullReads < this.#patience) return;
    this.#fullReads = 0;
    this.#size = Math.min(this.#grown(this.#size), this.#pool.maxBuffer);
    this.#tried = true;
  }

  #grown(size: number): number {
    return size < PROBE ? PROBE : size * this.#habit.growth;
  }

  /**
   * Memory that is handed over half empty is what costs most (Deno, 64 KiB chunks: 12 µs in 128 KiB, 8 in
   * 64), so a size that was tried in vain is not soon tried again.
   */
  #shrink(length: number): void {
    this.#patience = this.#tried ? Math.min(this.#patience * 4, MAX_PATIENCE) : 1;
    this.#tried = false;
    this.#fullReads = 0;
    const size = 2 ** Math.ceil(Math.log2(length));
    this.#size = Math.max(this.#habit.slack === SNUG ? size : size * 2, SMALLEST_BUFFER);
  }
}

/** The caller's own buffer, as in Go's `io.CopyBuffer`. */
export class CallersLoan implements Loan {
  readonly emptied = false;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  readonly reused: boolean;

  constructor(buffer: Uint8Array<ArrayBuffer>, reused: boolean) {
    this.#buffer = buffer;
    this.reused = reused;
  }

  view(): Uint8Array<ArrayBuffer> {
    return this.#buffer;
  }

  filled(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
    return this.reused ? buffer.subarray(0, length) : buffer.slice(0, length);
  }

  end(): void {}
}
