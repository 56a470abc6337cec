// What the streams at the two ends of a pump tell of their state; for `pump.ts` alone.

import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";

/** The first failure of a direction. Without a `side` it is neither a read's nor a write's: a limit, an abort. */
export interface Failed {
  readonly side?: "read" | "write";
  readonly error: unknown;
}

/** Follows the `closed` promises of a source and of a sink. */
export class StreamStates {
  /**
   * Whether the states that the streams were in at the start have shown, which takes a microtask, in workerd up
   * to three. Nothing may be read before.
   */
  areKnown = false;
  source: "open" | "closed" | Failed = "open";
  sink: "open" | "closed" | Failed = "open";

  /** Follows both, and calls back whenever one has changed: maybe at once. */
  follow(
    { closed: sourceClosed }: Source,
    { closed: sinkClosed }: Sink,
    changed: () => void,
  ): void {
    sourceClosed?.then(() => {
      this.source = "closed";
      changed();
    }, (error) => {
      this.source = { side: "read", error };
      changed();
    });
    sinkClosed?.then(() => {
      this.sink = "closed";
      changed();
    }, (error) => {
      this.sink = { side: "write", error };
      changed();
    });
  }
}
