// Counts a direction; for the core alone.

import type { Counts } from "../counts.ts";

/** Counts one direction, and notes when something last moved. */
export class Meter {
  readonly counts: Counts;
  /** Whether {@linkcode Meter.lastActivity} is kept; it costs a clock read a chunk. */
  #timed = false;
  /** When a read or a write last settled, in `performance.now()`'s milliseconds. */
  lastActivity = 0;
  /** What is counted the other way. */
  opposite: Counts;
  /** How many bytes had passed the other way when something last moved here: a clock that costs nothing. */
  heardAt = 0;
  /** How often something has moved. The time does not tell: workerd's stands still between two events. */
  moves = 0;

  constructor(counts: Counts = { bytes: 0, chunks: 0 }) {
    this.counts = this.opposite = counts;
  }

  /** Keeps {@linkcode Meter.lastActivity} from here on. */
  time(): void {
    if (this.#timed) return;
    this.#timed = true;
    this.lastActivity = performance.now();
  }

  touch(): void {
    this.moves++;
    this.heardAt = this.opposite.bytes;
    if (this.#timed) this.lastActivity = performance.now();
  }

  /** Counts bytes of a write that has fulfilled; `chunks` is 0 for a part of one. */
  add(bytes: number, chunks: number): void {
    this.counts.bytes += bytes;
    this.counts.chunks += chunks;
    this.touch();
  }

  /** So many bytes have passed, whether their writes have fulfilled or not. */
  atLeast(bytes: number): void {
    if (bytes > this.counts.bytes) this.add(bytes - this.counts.bytes, 0);
  }
}
