// One `pipe`: how it ends, by the rules of ReadableStreamPipeTo; for `pipe.ts` alone.

import { abortReasonOf, whenAborted } from "../core/abort.ts";
import type { Failed, Pump, PumpOwner } from "../core/pump.ts";
import type { Sink } from "../core/sink.ts";
import type { Source } from "../core/source.ts";
import type { Counts } from "../counts.ts";
import { ErroredSource } from "./errored_before.ts";

/** What `pipe`'s options say of its end. */
export interface Rules {
  readonly preventAbort?: boolean;
  readonly preventCancel?: boolean;
  readonly preventClose?: boolean;
  readonly signal?: AbortSignal;
  /** The source is the sink. */
  readonly isOne: boolean;
}

/** One `pipe`: shutdown by the rules of ReadableStreamPipeTo, and both locks. */
export class Piping implements PumpOwner {
  readonly result: Promise<Counts>;
  readonly #pump: Pump;
  readonly #rules: Rules;
  /** The signal had aborted before anything could be read. */
  readonly #abortedBefore: boolean;
  #isShuttingDown = false;
  #unlisten?: () => void;
  /** Ends a wait for what a Go-style sink writes, or for its end. */
  #cut?: () => void;
  #settle!: { resolve: (result: Counts) => void; reject: (error: unknown) => void };

  constructor(pump: Pump, rules: Rules) {
    this.#pump = pump;
    this.#rules = rules;
    this.result = new Promise((resolve, reject) => this.#settle = { resolve, reject });
    const { signal } = rules;
    this.#abortedBefore = signal?.aborted === true;
    if (this.#abortedBefore) {
      this.#abort();
      return;
    }
    if (signal) this.#unlisten = whenAborted(signal, () => this.#onAbort());
    const { source } = pump;
    if (source instanceof ErroredSource && source.failed) {
      this.onPumpEnd({ side: "read", ...source.failed });
    } else {
      pump.start(this);
    }
  }

  onPumpEnd(failed?: Failed): void {
    if (this.#isShuttingDown) return;
    this.#isShuttingDown = true;
    void this.#shutDown(failed);
  }

  #onAbort(): void {
    this.#pump.stop();
    // A stream that ended before the signal aborted shows it within a microtask, and goes first. So does a read
    // that was answered: its chunk must be written.
    queueMicrotask(() => {
      this.#pump.goByStates();
      this.#abort();
    });
  }

  #abort(): void {
    this.#pump.stop();
    // All writes to a stream are waited for, but not for the rate; to a Go-style sink nothing more is written.
    if (this.#pump.sink.closed) this.#pump.skipWaiting();
    this.#cut?.();
    this.onPumpEnd({ error: abortReasonOf(this.#rules.signal!) });
  }

  /** "Shutdown with an action", then "finalize". A limit and an abort are failures of neither side. */
  async #shutDown(failed?: Failed): Promise<void> {
    const pump = this.#pump;
    const { source, sink } = pump;
    const { preventCancel, preventClose, signal } = this.#rules;
    let outcome = failed;
    const cut = new Promise<true>((resolve) => this.#cut = () => resolve(true));
    try {
      // In workerd a read that was answered shows two microtasks later.
      if (pump.isReading) await undefined;
      const isCut = this.#finishesWriting(failed) && await this.#isCutDuring(pump.settled(), cut) ||
        // "Closing must be propagated forward."
        !failed && !preventClose && await this.#isCutDuring(sink.end(), cut);
      if (isCut) outcome = failed ??= { side: "read", error: abortReasonOf(signal!) };
      if (failed) {
        // What waits for the rate must not be written to a sink that is being aborted.
        pump.holdBack();
        const isReadLeft = pump.isReading && (preventCancel || !source.closed);
        if (isReadLeft) await pump.cancelPendingRead();
        await this.#propagate(failed);
      }
    } catch (error) {
      outcome = { error };
    }
    // The outcome is its error already: this waits for its lock.
    if (source instanceof ErroredSource) await source.closed.catch(() => {});
    this.#unlisten?.();
    pump.release();
    if (outcome) this.#settle.reject(outcome.error);
    else this.#settle.resolve(pump.counts);
  }

  /** The rule to wait for writes is one for streams; a Go-style sink's write may need the abort to end. */
  #finishesWriting(failed?: Failed): boolean {
    const { sink, isWriting } = this.#pump;
    return isWriting && !sink.over && (!failed || failed.side !== undefined || !!sink.closed);
  }

  /** Waits for `promise`; for a Go-style sink no longer than until the signal aborts. Gives whether it has. */
  #isCutDuring(promise: Promise<void>, cut: Promise<true>): Promise<boolean> {
    const uncut = promise.then(() => false);
    return this.#pump.sink.closed ? uncut : Promise.race([uncut, cut]);
  }

  /** Ends both halves, each unless an option prevents that. */
  async #propagate({ side, error }: Failed): Promise<void> {
    const { source, sink } = this.#pump;
    const { preventAbort, preventCancel, isOne } = this.#rules;
    // "Errors must be propagated forward."
    const aborts = side !== "write" && !preventAbort && (side || !sink.over);
    // "Errors must be propagated backward", as must closing. An end that is both is ended once.
    const cancels = side !== "read" && !preventCancel && !(isOne && aborts);
    const aborted = aborts && endHalf(sink, sink.abort(error));
    // A sink that was made in this turn starts first, and is told first.
    if (this.#abortedBefore) await undefined;
    await Promise.all([aborted, cancels && endHalf(source, source.cancel(error))]);
  }
}

/** Waits for the end of a half. A stream's failure to end replaces the first failure; a Go-style end's is no news. */
async function endHalf({ closed }: Source | Sink, ending: void | Promise<void>): Promise<void> {
  try {
    await ending;
  } catch (error) {
    if (closed) throw error;
  }
}
