// Holds one direction to its `limit` and its `rate`; for the core alone.

import { bytesOf } from "../check/bytes.ts";
import { MAX_TIMEOUT_MS } from "../check/options.ts";
import type { Direction } from "../counts.ts";
import { LimitError } from "../errors.ts";

/** A burst has at most the bytes of this time, in milliseconds. */
const BURST_MS = 100;

/** A part of a chunk that may pass, or a whole chunk. */
export interface Piece {
  readonly chunk: unknown;
  readonly size: number;
}

/**
 * Cuts a chunk into pieces that the limit and the rate allow, and delays each piece as the rate demands:
 * {@linkcode Throttle.hold} takes the chunk, then a {@linkcode Throttle.admit} and a
 * {@linkcode Throttle.next} follow for each piece while {@linkcode Throttle.isHolding}.
 */
export class Throttle {
  /** Whether a piece waits for the rate, which is no idleness. */
  isWaiting = false;
  readonly #direction?: Direction;
  readonly #limit: number;
  readonly #rate: number;
  /** Bytes that the limit still lets pass. */
  #allowance: number;
  #held?: Piece;
  /** What {@linkcode Throttle.holdBack} has kept of the chunk: it will not pass, but can be put back. */
  #heldBack?: Piece;
  #isWhole = false;
  /** The size of the piece that has been admitted. */
  #admitted = 0;
  /** When the rate will have allowed all bytes admitted so far, in `performance.now()`'s milliseconds. */
  #paidUntil = 0;
  #skipsWaiting = false;
  #wake?: () => void;

  constructor(direction?: Direction, limit = Infinity, rate = Infinity) {
    this.#direction = direction;
    this.#limit = this.#allowance = limit;
    this.#rate = rate;
  }

  /** The most bytes to read: what the limit leaves, and one more, which shows that the source goes past it. */
  get maxRead(): number {
    return this.#allowance + 1;
  }

  /** Whether a part of the chunk has not passed yet. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** The bytes of the chunk that have not passed. */
  get unpassed(): Uint8Array<ArrayBuffer> | undefined {
    return bytesOf((this.#held ?? this.#heldBack)?.chunk);
  }

  /** Takes a chunk of `size` bytes; `isWhole` if it must not be cut. */
  hold(chunk: unknown, size: number, isWhole: boolean): void {
    this.#held = { chunk, size };
    this.#isWhole = isWhole;
  }

  /** Stops what is left of the chunk, and any wait for it; {@linkcode Throttle.unpassed} keeps it. */
  holdBack(): void {
    this.#heldBack = this.#held;
    this.#held = undefined;
    this.skipWaiting();
  }

  /** Drops what is left of the chunk. */
  drop(): void {
    this.#held = undefined;
  }

  /**
   * Decides about the next piece. Returns an error if the limit forbids it, a promise while the rate delays it, and
   * `undefined` if it may pass now.
   */
  admit(): LimitError | Promise<void> | undefined {
    const { size } = this.#held!;
    if (size > 0 && this.#allowance < (this.#isWhole ? size : 1)) {
      return new LimitError(this.#limit, this.#direction);
    }
    const isUncut = this.#isWhole || this.#skipsWaiting;
    const burst = isUncut ? Infinity : Math.max(1, Math.floor(this.#rate * BURST_MS / 1000));
    this.#admitted = Math.min(size, this.#allowance, burst);
    this.#allowance -= this.#admitted;
    // Silence has saved up a burst at most.
    const start = Math.max(this.#paidUntil, performance.now() - BURST_MS);
    this.#paidUntil = start + this.#admitted * 1000 / this.#rate;
    return this.#msToWait > 0 ? this.#wait() : undefined;
  }

  /** Takes the admitted piece off the chunk. Called once after each {@linkcode Throttle.admit}. */
  next(): Piece {
    const { chunk, size } = this.#held!;
    const admitted = this.#admitted;
    if (admitted === size) {
      this.#held = undefined;
      return { chunk, size };
    }
    const bytes = bytesOf(chunk)!;
    this.#held = { chunk: bytes.subarray(admitted), size: size - admitted };
    // Whoever gets a piece may keep it, and take its buffer away.
    return { chunk: bytes.slice(0, admitted), size: admitted };
  }

  /** Ends a wait for the rate, and all further ones: the direction is being shut down. */
  skipWaiting(): void {
    this.#skipsWaiting = true;
    this.#wake?.();
  }

  get #msToWait(): number {
    return this.#skipsWaiting ? 0 : this.#paidUntil - performance.now();
  }

  async #wait(): Promise<void> {
    this.isWaiting = true;
    for (let ms = this.#msToWait; ms > 0; ms = this.#msToWait) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(ms, MAX_TIMEOUT_MS));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.isWaiting = false;
  }
}

/** A throttle, if there is anything to hold the direction to. */
export function throttleFor(
  direction?: Direction,
  limit?: number,
  rate?: number,
): Throttle | undefined {
  return limit || rate ? new Throttle(direction, limit, rate) : undefined;
}
