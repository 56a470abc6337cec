/** Calls back at a deadline that traffic keeps moving: one timer, never reset by a chunk. */
export class Watchdog {
  readonly #deadline: () => number;
  readonly #onExpiry: () => void;
  #timer?: ReturnType<typeof setTimeout>;

  /** @param deadline When it expires unless it has moved, in `performance.now()`'s milliseconds. */
  constructor(deadline: () => number, onExpiry: () => void) {
    this.#deadline = deadline;
    this.#onExpiry = onExpiry;
  }

  /** Looks again: at once if the deadline is nearer now than it was. */
  watch(): void {
    this.stop();
    const left = this.#deadline() - performance.now();
    if (left <= 0) this.#onExpiry();
    else if (left !== Infinity) {
      this.#timer = setTimeout(() => this.watch(), Math.min(Math.ceil(left), 2 ** 31 - 1));
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
