// Counts one direction, and notes when something last moved; for the core and for `join`.

import type { Counts } from "../counts.ts";

/** Counts one direction, and notes when something last moved. */
export class Meter {
  readonly counts: Counts;
  /** When a read or a write last settled, in `performance.now()`'s milliseconds; kept after {@linkcode Meter.time}. */
  lastActivity = 0;
  /** How often something has moved. The time does not tell: workerd's stands still between two events. */
  moves = 0;
  /** How many bytes had passed the other way when something last moved this way: a clock that costs nothing. */
  oppositeBytesThen = 0;
  /** Keeping {@linkcode Meter.lastActivity} costs a clock read a chunk. */
  #isTimed = false;
  #opposite: Counts;

  constructor(counts: Counts = { bytes: 0, chunks: 0 }) {
    this.counts = this.#opposite = counts;
  }

  /** Names what counts the other way. */
  setOpposite({ counts }: Meter): void {
    this.#opposite = counts;
  }

  /** Keeps {@linkcode Meter.lastActivity} from here on. */
  time(): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.lastActivity = performance.now();
  }

  /** Something has moved. */
  touch(): void {
    this.moves++;
    this.oppositeBytesThen = this.#opposite.bytes;
    if (this.#isTimed) this.lastActivity = performance.now();
  }

  /** Counts bytes of a write that has fulfilled; `chunks` is 0 for a part of a chunk. */
  add(bytes: number, chunks: number): void {
    this.counts.bytes += bytes;
    this.counts.chunks += chunks;
    this.touch();
  }

  /** At least `bytes` have passed in all, whether their writes have fulfilled or not. */
  atLeast(bytes: number): void {
    if (bytes > this.counts.bytes) this.add(bytes - this.counts.bytes, 0);
  }

  /** Takes over what somebody else has counted. */
  set(bytes: number, chunks: number): void {
    this.counts.bytes = bytes;
    this.counts.chunks = chunks;
  }
}
