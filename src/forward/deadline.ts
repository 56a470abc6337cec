// The moment at which a shutdown cuts connections; for `thread_forwarder.ts` alone.

/** Calls back at a moment that can be brought forward and cancelled, but never put off. */
export class Deadline {
  readonly #onReached: () => void;
  /** In milliseconds of `performance.now()`; `-Infinity` once it is cancelled. */
  #at = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onReached: () => void) {
    this.#onReached = onReached;
  }

  /** Sets the deadline to `ms` milliseconds from now, unless it is earlier already; 0 calls back at once. */
  bringForward(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    if (ms === 0) this.#onReached();
    else this.#timer = setTimeout(this.#onReached, ms);
  }

  /** Calls back no more, whatever is asked for later. */
  cancel(): void {
    this.#at = -Infinity;
    clearTimeout(this.#timer);
  }
}
