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
   * How many of `wanted` bytes the next write may carry.
   *
   * @throws {LimitError} If it is none any more.
   */
  grant(wanted: number): number {
    if (this.#allowance === 0) throw new LimitError(this.#limit, this.#direction);
    const granted = Math.min(wanted, this.#allowance, this.#hurried ? Infinity : this.#burst);
    this.#allowance -= granted;
    return granted;
  }

  /** Waits until the rate lets `bytes` pass. */
  async pass(bytes: number): Promise<void> {
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

  /** Ends a wait for the rate and all further ones: the direction is being shut down. */
  hurry(): void {
    this.#hurried = true;
    this.#wake?.();
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
