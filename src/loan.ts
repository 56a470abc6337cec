import { type BufferPool, SMALLEST_BUFFER } from "./buffer_pool.ts";

/** The buffer that a source reads into. */
export interface Loan {
  /** The buffer for the next read. */
  view(): Uint8Array<ArrayBuffer>;
  /** A read has put `length` bytes into `buffer`: the chunk for the sink. */
  filled(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer>;
  /** No further read; `settled` if no read or write of the buffer is still under way. */
  end(settled: boolean): void;
  /** A write of the last chunk was abandoned: its buffer is not to be touched again. */
  abandon(): void;
}

/**
 * A buffer of the pool's that follows the traffic: four times as large after a read that filled it,
 * smaller again once reads use less than an eighth.
 */
export class PooledLoan implements Loan {
  readonly #pool: BufferPool;
  readonly #reused: boolean;
  #size = SMALLEST_BUFFER;
  #buffer?: Uint8Array<ArrayBuffer>;
  /** The buffer's length; its own reads 0 while a BYOB read has it detached. */
  #lent = 0;

  /** @param reused Whether the sink is done with a chunk once its write has settled. */
  constructor(pool: BufferPool, reused: boolean) {
    this.#pool = pool;
    this.#reused = reused;
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
    this.#adapt(size, length);
    this.#buffer = buffer;
    if (!this.#reused) {
      if (length * 2 < size) return buffer.slice(0, length);
      this.abandon();
    }
    return length === size ? buffer : buffer.subarray(0, length);
  }

  end(settled: boolean): void {
    if (settled && this.#buffer !== undefined) this.#pool.release(this.#buffer);
    else if (this.#buffer !== undefined) this.#pool.writeOff(this.#lent);
    this.#buffer = undefined;
  }

  abandon(): void {
    this.end(false);
  }

  #adapt(size: number, length: number): void {
    if (length === size) this.#size = Math.min(size * 4, this.#pool.maxBuffer);
    else if (length * 8 < size) this.#size = Math.max(size / 4, SMALLEST_BUFFER);
  }
}

/** The caller's own buffer, as in Go's `io.CopyBuffer`. */
export class CallersLoan implements Loan {
  readonly #buffer: Uint8Array<ArrayBuffer>;
  readonly #reused: boolean;

  constructor(buffer: Uint8Array<ArrayBuffer>, reused: boolean) {
    this.#buffer = buffer;
    this.#reused = reused;
  }

  view(): Uint8Array<ArrayBuffer> {
    return this.#buffer;
  }

  filled(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
    return this.#reused ? buffer.subarray(0, length) : buffer.slice(0, length);
  }

  end(): void {}

  abandon(): void {}
}
