// What the streams at the two ends of a pump tell of their state, and the rules of `pipeTo` about that; for
// `pump.ts` alone.

import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";

/** The first failure of a direction. Without a `side` it is neither a read's nor a write's: a limit, an abort. */
export interface Failed {
  readonly side?: "read" | "write";
  readonly error: unknown;
}

/** What the rules depend on besides. */
interface Situation {
  /** Whether a read is under way. */
  readonly isReading: boolean;
  /** Whether a chunk is held whose write may still fail, with nothing but the write to tell. */
  readonly mayStillFail: boolean;
  /** Whether nothing is written any more. */
  readonly isDiscarding: boolean;
}

/** How the streams end a pump. `"unanswered"`: by success, if the pending read is not answered at once. */
type Verdict = Failed | "end of file" | "sink is closing" | "unanswered" | undefined;

/** Follows the `closed` promises of a source and of a sink. */
export class StreamStates {
  /**
   * Whether the states that the streams were in at the start have shown, which takes a microtask, in workerd up
   * to three. Nothing may be read before.
   */
  areKnown = false;
  #source: "open" | "closed" | Failed = "open";
  #sink: "open" | "closed" | Failed = "open";

  get isSourceClosed(): boolean {
    return this.#source === "closed";
  }

  get isSourceErrored(): boolean {
    return typeof this.#source === "object";
  }

  /** Follows both, and calls back with the half whose state has changed: maybe at once. */
  follow(source: Source, sink: Sink, changed: (half: "source" | "sink") => void): void {
    source.closed?.then(() => {
      this.#source = "closed";
      changed("source");
    }, (error) => {
      this.#source = { side: "read", error };
      changed("source");
    });
    sink.closed?.then(() => {
      this.#sink = "closed";
      changed("sink");
    }, (error) => {
      this.#sink = { side: "write", error };
      changed("sink");
    });
  }

  /** The first of the four rules of ReadableStreamPipeTo that ends the pump, in the order of the standard. */
  verdict({ isReading, mayStillFail, isDiscarding }: Situation): Verdict {
    const source = this.#source;
    const sink = isDiscarding ? "open" : this.#sink;
    // "Errors must be propagated forward": but what an answered read has brought goes first.
    if (typeof source === "object" && !isReading) return source;
    // What goes before the other rules may not show yet.
    if (!this.areKnown) return;
    // "Errors must be propagated backward."
    if (typeof sink === "object") return sink;
    // "Closing must be propagated forward."
    if (source === "closed" && !isReading && !mayStillFail) return "end of file";
    // "Closing must be propagated backward."
    if (sink === "closed") return "sink is closing";
    // A byte source that closes without byobRequest.respond(0) never answers the read (Streams standard,
    // ReadableByteStreamControllerClose); a read that is answered is so within some microtasks.
    if (source === "closed" && isReading) return "unanswered";
  }
}
