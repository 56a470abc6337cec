import { canHalfClose, type End, isConn } from "./ends.ts";
import type { Meter } from "./meter.ts";
import { type Sink, StreamSink, WriterSink } from "./sink.ts";
import { readerSource, type Source, type SourceOptions, streamSource } from "./source.ts";

/** One end of a join: what it can do, and how it is closed, once. */
export class JoinedEnd {
  readonly halfCloses: boolean;
  /** It has ended although it cannot half-close: nothing can be written to it any more. */
  gone = false;
  readonly #end: End<unknown, unknown>;
  readonly #left: boolean;
  #halfClosed = false;
  #closed = false;

  /** @param left Whether it is to be left open after success. */
  constructor(end: End<unknown, unknown>, left: boolean) {
    this.#end = end;
    this.#left = left;
    this.halfCloses = canHalfClose(end);
  }

  openSource(options: SourceOptions): Source {
    const end = this.#end;
    return isConn(end) ? readerSource(end, options) : streamSource(end.readable, options);
  }

  openSink(meter: Meter): Sink {
    const end = this.#end;
    return isConn(end)
      ? new WriterSink(end, meter)
      : new StreamSink(end.writable, meter, end.consumesOnWrite === true);
  }

  /** Its peer is to read an end of file: all that was read for it has been written. */
  async halfClose(sink: Sink): Promise<void> {
    if (this.#left || !this.halfCloses) return;
    await sink.end();
    this.#halfClosed = true;
  }

  /** Closes it after success. Rejects if what was written may not have arrived. */
  async close(sink: Sink): Promise<void> {
    if (this.#left || this.#closed) return;
    const writingEnded = this.#halfClosed || this.gone;
    try {
      if (!isConn(this.#end) && !this.#halfClosed) await sink.end();
      this.#closed = true;
      await this.#end.close?.();
    } catch (error) {
      if (!writingEnded) throw error;
    }
  }

  /** Closes it although its peer has not ended. */
  async closeSilent(source: Source, sink: Sink): Promise<void> {
    if (this.#left) return;
    if (isConn(this.#end)) return this.close(sink).catch(lateError);
    const cancelled = Promise.resolve(source.cancel(undefined)).catch(lateError);
    // A write that is stuck would hold a close() up for good.
    if (sink.pending) void Promise.resolve(sink.abort(undefined)).catch(lateError);
    await Promise.all([cancelled, this.close(sink).catch(lateError)]);
  }

  /**
   * Ends it after a failure: everything is started before this returns. Waits for it to be done, but
   * not where that would be waiting for a write.
   */
  async tearDown(source: Source, sink: Sink, reason: unknown): Promise<void> {
    const end = this.#end;
    const actions = isConn(end)
      ? [() => end.abort ? end.abort(reason) : this.#closed ? undefined : end.close()]
      : [
        () => source.cancel(reason),
        () => sink.abort(reason),
        () => this.#closed ? undefined : end.close?.(reason),
      ];
    this.#closed = true;
    const done = Promise.all(actions.map(async (action) => {
      try {
        await action();
      } catch (error) {
        lateError(error);
      }
    }));
    if (!sink.pending) await done;
  }
}

/** What our own teardown provokes: the first error has been, or will be, reported. */
function lateError(_error: unknown): void {}

/** Waits for `promise`, which does not reject, for at most `ms`. */
export async function bounded(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([promise, late]);
  clearTimeout(timer!);
}
