import { byteLengthOf, bytesOf } from "./bytes.ts";
import { type Direction, LimitError } from "./errors.ts";

const BURST_MS = 100;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Holds one direction to its `limit` and its `rate`. */
export class Shaper {
  /** Waiting for the rate: no idleness. */
  throttled = false;
  readonly #direction?: Direction;
  readonly #limit: number;
  readonly #rate: number;
  readonly #burst: number;
  #allowance: number;
  #tokens: number;
  #refilled = performance.now();
  #hurried = false;
  #wake?: () => void;

  constructor(limit: number, rate: number, direction?: Direction) {
    this.#direction = direction;
    this.#limit = this.#allowance = limit;
    this.#rate = rate;
    this.#burst = this.#tokens = Math.max(1, Math.floor(rate * BURST_MS / 1000));
  }

  /**
   * Hands a chunk on in the pieces that the limit and the rate let pass, as long as `goOn` says so.
   *
   * @param keeps Whether whoever gets a piece keeps it, and may take its buffer away: each is its own.
   * @returns The error, if the chunk is more than the limit lets pass.
   */
  async shape(
    chunk: unknown,
    keeps: boolean,
    goOn: () => boolean,
    hand: (piece: unknown) => void | Promise<void>,
  ): Promise<LimitError | undefined> {
    let rest = chunk;
    let left = byteLengthOf(chunk);
    do {
      if (left > 0 && this.#allowance === 0) return new LimitError(this.#limit, this.#direction);
      const size = Math.min(left, this.#allowance, this.#hurried ? Infinity : this.#burst);
      this.#allowance -= size;
      await this.#pass(size);
      if (!goOn()) return;
      let piece = rest;
      if (size < left) {
        const bytes = bytesOf(rest)!;
        piece = keeps ? bytes.slice(0, size) : bytes.subarray(0, size);
        rest = bytes.subarray(size);
      }
      left -= size;
      await hand(piece);
    } while (left > 0 && goOn());
  }

  /** Ends a wait for the rate and all further ones: the direction is being shut down. */
  hurry(): void {
    this.#hurried = true;
    this.#wake?.();
  }

  async #pass(bytes: number): Promise<void> {
    for (let missing = this.#spend(bytes); missing > 0; missing = this.#spend(bytes)) {
      this.throttled = true;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(Math.ceil(missing), LONGEST_TIMER_MS));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.throttled = false;
  }

  /** Spends `bytes`, or returns how many milliseconds are missing. */
  #spend(bytes: number): number {
    if (this.#rate === Infinity || this.#hurried) return 0;
    const now = performance.now();
    const filled = this.#tokens + (now - this.#refilled) * this.#rate / 1000;
    this.#tokens = Math.min(this.#burst, filled);
    this.#refilled = now;
    if (this.#tokens < bytes) return (bytes - this.#tokens) * 1000 / this.#rate;
    this.#tokens -= bytes;
    return 0;
  }
}

/** A shaper, if there is anything to hold the direction to. */
export function shaperFor(
  limit?: number,
  rate?: number,
  direction?: Direction,
): Shaper | undefined {
  if (limit === undefined && rate === undefined) return undefined;
  return new Shaper(limit ?? Infinity, rate ?? Infinity, direction);
}
