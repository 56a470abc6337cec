import { type Counts, type Direction, LimitError } from "./errors.ts";

const BURST_MS = 100;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a {@linkcode Meter} enforces. */
export interface MeterOptions {
  readonly counts: Counts;
  readonly limit?: number;
  readonly rate?: number;
  readonly direction?: Direction;
  /** Whether {@linkcode Meter.lastActivity} is kept; it costs a clock read a chunk. */
  readonly timed?: boolean;
}

/** Counts one direction, and holds it to its limit and its rate. */
export class Meter {
  readonly counts: Counts;
  /** Whether chunks must pass {@linkcode Meter.grant} and {@linkcode Meter.delay} before a write. */
  readonly shapes: boolean;
  readonly timed: boolean;
  lastActivity: number;
  /** Waiting for the rate: no idleness. */
  throttled = false;
  readonly #direction?: Direction;
  readonly #limit: number;
  readonly #rate: number;
  readonly #burst: number;
  #allowance: number;
  #tokens: number;
  #refilled: number;
  #wake?: () => void;
  #hurried = false;

  constructor({ counts, limit, rate = Infinity, direction, timed = false }: MeterOptions) {
    this.counts = counts;
    this.timed = timed;
    this.shapes = limit !== undefined || rate !== Infinity;
    this.#direction = direction;
    this.#limit = this.#allowance = limit ?? Infinity;
    this.#rate = rate;
    this.#burst = this.#tokens = Math.max(1, Math.floor(rate * BURST_MS / 1000));
    this.lastActivity = this.#refilled = timed || rate !== Infinity ? performance.now() : 0;
  }

  touch(): void {
    this.lastActivity = performance.now();
  }

  /** Counts bytes of a write that has fulfilled; `chunks` is 0 for a part of one. */
  add(bytes: number, chunks: number): void {
    this.counts.bytes += bytes;
    this.counts.chunks += chunks;
    if (this.timed) this.touch();
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

  /** Takes `bytes` out of the bucket; a promise of it where the rate makes them wait. */
  delay(bytes: number): void | Promise<void> {
    if (this.#spend(bytes) > 0) return this.#wait(bytes);
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

  async #wait(bytes: number): Promise<void> {
    this.throttled = true;
    for (let missing = this.#spend(bytes); missing > 0; missing = this.#spend(bytes)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(Math.ceil(missing), LONGEST_TIMER_MS));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.throttled = false;
    if (this.timed) this.touch();
  }
}
