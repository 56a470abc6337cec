// One pump's share of the thread; for `pump.ts` alone.

import { MIN_SHARE, turns } from "./turns.ts";

/** What handling a chunk costs, however small it is, in bytes moved. */
const CHUNK_COST = 16 * 1024;
/** Most chunks of a stream are handed on without being copied: an eighth of the cost of a byte. */
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

  /** Takes off what a chunk of `size` bytes costs, which is nothing if the pump `willWait` anyhow. */
  spend(size: number, isOfStream: boolean, willWait: boolean): void {
    if (this.#period !== turns.period) this.#period = turns.reportWork();
    if (!willWait) this.#credit -= CHUNK_COST + (isOfStream ? size >>> STREAM_SHIFT : size);
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
