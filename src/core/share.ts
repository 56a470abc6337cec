// One pump's share of the thread; for `pump.ts` alone.

import { MIN_SHARE, turns } from "./turns.ts";

/** What a chunk costs besides its bytes: as much as moving this many bytes. */
const CHUNK_COST = 16 * 1024;
/** The bytes of a stream count an eighth (a shift by 3), as most of its chunks are handed on uncopied. */
const STREAM_SHIFT = 3;

const READY = Promise.resolve();

/** What a pump may move until it has to ask whether it may go on. */
export class Share {
  /** Bytes that may be moved until the clock is looked at. */
  #credit = MIN_SHARE;
  /** The period of {@linkcode turns} in which it has last reported to be at work; -1 if in none. */
  #period = -1;
  #timer?: ReturnType<typeof setTimeout>;

  get isUsedUp(): boolean {
    return this.#credit <= 0;
  }

  /** Reports the pump as at work, and takes off the cost of a chunk of `size` bytes: none if its source will wait. */
  spend(size: number, isOfStream: boolean, willWait: boolean): void {
    if (this.#period !== turns.period) this.#period = turns.reportWork();
    if (!willWait) this.#credit -= CHUNK_COST + (isOfStream ? size >>> STREAM_SHIFT : size);
  }

  /** Refills the share. Fulfils when the pump may go on: at once while the slice lasts. */
  next(): Promise<void> {
    this.#credit = turns.share;
    // Something to wait for all the same: with a source and a sink that give no promises, no microtask would run.
    if (turns.sliceLasts()) return READY;
    return turns.areShared ? turns.next() : this.nextByTimer();
  }

  /** Fulfils by a timer, a millisecond or so later, so that all other pumps can move meanwhile. */
  nextByTimer(): Promise<void> {
    return new Promise((resolve) => this.#timer = setTimeout(resolve));
  }

  /** Reports the pump as not at work. A promise of {@linkcode Share.nextByTimer} that is pending never fulfils. */
  end(): void {
    turns.reportEnd(this.#period);
    this.#period = -1;
    clearTimeout(this.#timer);
  }
}
