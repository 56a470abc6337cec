import type { Counts } from "./errors.ts";

/** Counts one direction, and notes when something last moved. */
export class Meter {
  readonly counts: Counts;
  /** Whether {@linkcode Meter.lastActivity} is kept; it costs a clock read a chunk. */
  readonly timed: boolean;
  /** When a read or a write last settled, in `performance.now()`'s milliseconds. */
  lastActivity: number;

  constructor(counts: Counts = { bytes: 0, chunks: 0 }, timed = false) {
    this.counts = counts;
    this.timed = timed;
    this.lastActivity = timed ? performance.now() : 0;
  }

  touch(): void {
    if (this.timed) this.lastActivity = performance.now();
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
