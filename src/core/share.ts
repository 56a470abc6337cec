// One pump's share of the thread; for `pump.ts` alone.

import { MIN_SHARE, turns } from "./turns.ts";

/** What handling a chunk costs, however small it is, in bytes moved. */
const CHUNK_COST = 16 * 1024;
/** Of a stream most chunks are handed on without being copied, which is how much cheaper by the byte. */
const STREAM_DISCOUNT = 8;

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

  /** The pump is at work. */
  report(): void {
    if (this.#period !== turns.period) this.#period = turns.reportWork();
  }

  /** Takes off what a chunk of `size` bytes costs. */
  spend(size: number, isOfStream: boolean): void {
    this.#credit -= CHUNK_COST + (isOfStream ? size / STREAM_DISCOUNT : size);
  }

  /** Fulfils when the pump may move its next share. */
  next(): Promise<void> {
    this.#credit = turns.share;
    // A source and a sink that answer without a promise let nobody else go on by themselves.
    if (turns.sliceLasts()) return READY;
    return turns.areShared ? turns.next() : this.timer();
  }

  /** Fulfils in a turn of its own. Timers wait for their time, which leaves all other pumps theirs. */
  timer(): Promise<void> {
    return new Promise((resolve) => this.#timer = setTimeout(resolve));
  }

  /** The pump does not go on. */
  end(): void {
    turns.reportEnd(this.#period);
    this.#period = -1;
    clearTimeout(this.#timer);
  }
}
