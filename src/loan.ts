import { type BufferPool, SMALLEST_BUFFER } from "./buffer_pool.ts";

/** The buffer that a source reads into. */
export interface Loan {
  /** Whether the sink is done with a chunk once its write has settled. */
  readonly reused: boolean;
  /** The buffer for the next read. */
  view(): Uint8Array<ArrayBuffer>;
  /** A read has put `length` bytes into `buffer`: the chunk for the sink. */
  filled(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer>;
  /** Ends with the last chunk's buffer; `settled` if no read or write of it is still under way. */
  end(settled: boolean): void;
}

/** So many times as large as a read may a buffer be where memory that stays empty costs something. */
export const SNUG = 2;
/** The same where it does not. */
const ROOMY = 8;

/** How many full reads in a row it takes at most to try a larger buffer again. */
const MOST_PATIENCE = 64;

/**
 * A buffer of the pool's that follows the traffic: four times as large after a read that filled it, and
 * back to what a read used that left most of it empty.
 */
export class PooledLoan implements Loan {
  readonly #pool: BufferPool;
  readonly reused: boolean;
  readonly #slack: number;
  #size = SMALLEST_BUFFER;
  #buffer?: Uint8Array<ArrayBuffer>;
  /** The buffer's length; its own reads 0 while a BYOB read has it detached. */
  #lent = 0;
  #fullReads = 0;
  #patience = 1;
  /** The size is larger than any read has used so far. */
  #tried = false;

  constructor(pool: BufferPool, reused: boolean, slack = reused ? ROOMY : SNUG) {
    this.#pool = pool;
    this.reused = reused;
    this.#slack = slack;
  }

  view(): Uint8Array<ArrayBuffer> {
    if (this.#buffer !== undefined) {
      if (this.#lent === this.#size) return this.#buffer;
      this.#pool.release(this.#buffer);
    }
    this.#lent = this.#size;
    return this.#buffer = this.#pool.acquire(this.#size);
  }

  filled(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
    const size = this.#lent;
    this.#buffer = buffer;
    if (length === size) this.#grow();
    else if (length * this.#slack <= size) this.#shrink(length);
    else this.#tried = false;
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
    this.#size = Math.min(this.#size * 4, this.#pool.maxBuffer);
    this.#tried = true;
  }

  /**
   * Memory that is handed over half empty is what costs most (Deno, 64 KiB chunks: 12 µs in 128 KiB, 8 in
   * 64), so a size that was tried in vain is not soon tried again.
   */
  #shrink(length: number): void {
    this.#patience = this.#tried ? Math.min(this.#patience * 4, MOST_PATIENCE) : 1;
    this.#tried = false;
    this.#fullReads = 0;
    const size = 2 ** Math.ceil(Math.log2(length));
    this.#size = Math.max(this.#slack === SNUG ? size : size * 2, SMALLEST_BUFFER);
  }
}

/** The caller's own buffer, as in Go's `io.CopyBuffer`. */
export class CallersLoan implements Loan {
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
