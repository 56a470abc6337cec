// `limit` and `rate` of a direction; for the core alone.

import { bytesOf } from "../check/bytes.ts";
import type { Direction } from "../counts.ts";
import { LimitError } from "../errors.ts";
import { LONGEST_TIMEOUT } from "../check/options.ts";

const BURST_MS = 100;

/** Holds one direction to its `limit` and its `rate`. */
export class Shaper {
  /** Waiting for the rate: no idleness. */
  throttled = false;
  readonly #direction?: Direction;
  readonly #limit: number;
  readonly #rate: number;
  #allowance: number;
  /** What has not been handed on: the limit did not let it pass, or it was given up meanwhile. */
  rest?: Uint8Array<ArrayBuffer>;
  /** When what has passed will have taken its time. */
  #paidUntil = 0;
  #hurried = false;
  #wake?: () => void;

  constructor(direction?: Direction, limit = Infinity, rate = Infinity) {
    this.#direction = direction;
    this.#limit = this.#allowance = limit;
    this.#rate = rate;
  }

  /** As many bytes as are worth reading: one past the limit shows that it does not hold. */
  get most(): number {
    return this.#allowance + 1;
  }

  /**
   * Hands a chunk of `left` bytes on in the pieces that the limit and the rate let pass, or `whole`, as
   * long as `goOn` says so.
   *
   * @returns The error, if the chunk is more than the limit lets pass.
   */
  async shape(
    chunk: unknown,
    left: number,
    whole: boolean | undefined,
    goOn: () => boolean,
    hand: (piece: unknown) => Promise<void>,
  ): Promise<LimitError | undefined> {
    const burst = whole ? Infinity : Math.max(1, Math.floor(this.#rate * BURST_MS / 1000));
    do {
      this.rest = bytesOf(chunk);
      if (left > 0 && this.#allowance < (whole ? left : 1)) {
        return new LimitError(this.#limit, this.#direction);
      }
      const size = Math.min(left, this.#allowance, this.#hurried ? Infinity : burst);
      this.#allowance -= size;
      await this.#pass(size);
      if (!goOn()) return;
      let piece = chunk;
      if (size < left) {
        // Whoever gets a piece may keep it, and take its buffer away.
        piece = this.rest!.slice(0, size);
        chunk = this.rest!.subarray(size);
      }
      left -= size;
      this.rest = left > 0 ? bytesOf(chunk) : undefined;
      await hand(piece);
    } while (left > 0 && goOn());
  }

  /** Ends a wait for the rate and all further ones: the direction is being shut down. */
  hurry(): void {
    this.#hurried = true;
    this.#wake?.();
  }

  /** Waits until `bytes` may pass: silence has saved up a burst at most. */
  async #pass(bytes: number): Promise<void> {
    const start = Math.max(this.#paidUntil, performance.now() - BURST_MS);
    this.#paidUntil = start + bytes * 1000 / this.#rate;
    while (!this.#hurried) {
      const ms = this.#paidUntil - performance.now();
      if (ms <= 0) break;
      this.throttled = true;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMEOUT));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.throttled = false;
  }
}

/** A shaper, if there is anything to hold the direction to. */
export function shaperFor(
  direction?: Direction,
  limit?: number,
  rate?: number,
): Shaper | undefined {
  return limit || rate ? new Shaper(direction, limit, rate) : undefined;
}
