// Public: `pipe()`, by the rules of ReadableStreamPipeTo.

import { BufferPool, sharedPool } from "./buffer_pool.ts";
import { assertHalf } from "./check/end.ts";
import { isObject, isReadable, isWritable } from "./check/kinds.ts";
import { OptionReader } from "./check/options.ts";
import { refuse } from "./check/refuse.ts";
import { abortReasonOf, whenAborted } from "./core/abort.ts";
import { erroredBefore, ErroredSource } from "./core/errored_before.ts";
import { Meter } from "./core/meter.ts";
import { openSink, openSource } from "./core/open.ts";
import { type Failed, Pump, type PumpOwner } from "./core/pump.ts";
import type { Sink } from "./core/sink.ts";
import type { Source } from "./core/source.ts";
import { throttleFor } from "./core/throttle.ts";
import type { Counts } from "./counts.ts";
import type { Reader, Writer } from "./ends.ts";

/** Options of {@linkcode pipe}: those of `ReadableStream.pipeTo()`, and some more. */
export interface PipeOptions {
  /**
   * A buffer of the caller's that a Go-style source is read into, as in Go's `io.CopyBuffer`; at least 1 byte
   * long. The buffer belongs to `pipe` until the promise settles; after an abort or a failed write, until the
   * source's pending read settles.
   */
  buffer?: Uint8Array<ArrayBuffer>;
  /**
   * Whether a chunk's memory may be reused once the sink's write of it has settled. For a Go-style sink that
   * is always so. Never set it for a stream that queues chunks: it would write overwritten bytes.
   *
   * With `true`, a byte stream is read by its BYOB reader. Except on Deno, a branch of a `tee()` never ends
   * that way if its source closes without `byobRequest.respond(0)`.
   *
   * @default {false}
   */
  consumesOnWrite?: boolean;
  /**
   * How many bytes may pass: the first byte past the limit fails the pipe, and a source that ends exactly at
   * the limit succeeds. A positive safe integer. Without a limit any number may pass.
   *
   * A Go-style source is read up to the first byte past the limit, and that byte goes to whoever reads the
   * source next, as after `preventCancel`. Of a stream, the rest of the chunk is lost; of a byte stream that is
   * read into lent memory, one byte is.
   */
  limit?: number;
  /** The pool to borrow buffers from; by default the pool that all joins and pipes of a process share. */
  pool?: BufferPool;
  /**
   * Whether the sink is left open after a failed read.
   *
   * @default {false}
   */
  preventAbort?: boolean;
  /**
   * After a failed write, a `limit` or an abort, leave the source open. A Go-style source may still have a
   * read under way, which cannot be taken back: what it brings goes to the next {@linkcode pipe},
   * {@linkcode join} or {@linkcode unread} of that very object, and past a `read()` of one's own. A chunk
   * that a Go-style sink is taking when the signal aborts does not come back: nobody can tell how much of it
   * the sink will have taken. What it has not is lost.
   *
   * @default {false}
   */
  preventCancel?: boolean;
  /**
   * Whether the sink is left open at the end of the source.
   *
   * @default {false}
   */
  preventClose?: boolean;
  /**
   * How fast bytes may pass, in bytes per second; more than 0. A burst has at most the bytes of 100 ms.
   * Without a rate the pipe is not slowed.
   */
  rate?: number;
  /** A signal that aborts the pipe: source and sink are torn down, and it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** An object of the caller's, in which `pipe` keeps the live counts `bytes` and `chunks`. */
  stats?: Partial<Counts>;
}

/** What {@linkcode pipe} has moved. */
export type PipeResult = Counts;

/**
 * Moves everything from `source` to `sink`: `source.pipeTo(sink)` by the rules of the Streams
 * standard (ReadableStreamPipeTo), with a count, and for Go-style ends, too.
 *
 * Chunks may be of any type; a chunk that is neither an `ArrayBuffer` nor a view counts 0 bytes. A chunk
 * counts once the sink's write of it has fulfilled. Both streams are locked before `pipe` returns and
 * unlocked before its promise settles.
 *
 * A `WritableStream` owns the chunks that it is given, for good, unless `consumesOnWrite` is set. A Go-style
 * source is read into pooled buffers, or into `buffer`. A byte stream is read into pooled buffers by its BYOB
 * reader if `consumesOnWrite` is set, and on Deno if the sink is Go-style. Otherwise a byte stream is read by
 * its default reader, as by `pipeTo`; if its source needs a `byobRequest`, it must have an
 * `autoAllocateChunkSize`.
 *
 * - At the end of the source the sink is closed: `close()`, or of a Go-style sink `closeWrite()`, else
 *   `close()`. A Go-style source that has ended is left open.
 * - After a failed read the sink is aborted with the error: `abort(reason)`, or of a Go-style sink without
 *   `abort` `close()`.
 * - After a failed write the source is cancelled with the error; a Go-style source is closed.
 * - Past the `limit`, and when `signal` aborts, the sink is aborted and the source cancelled. As in `pipeTo`,
 *   an abort waits for the writes of a `WritableStream` that are under way; {@linkcode join} does not.
 *
 * @typeParam T The chunks.
 * @param source What to read.
 * @param sink What to write.
 * @param options How; see {@linkcode PipeOptions}.
 * @returns What has passed, once the sink is closed.
 * @throws {TypeError} If an argument is of the wrong kind, or a stream is locked; nothing is touched.
 * @throws {RangeError} If an option is out of range; nothing is touched.
 * @throws {LimitError} If the source has more than `limit` bytes. Exactly `limit` have passed.
 * @throws The bare error of the read or the write that failed, or `signal.reason`.
 *
 * @example Count a transfer
 * ```ts
 * import { pipe } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const body = new Blob(["hello"]).stream();
 * const { bytes } = await pipe(body, new WritableStream());
 * assertEquals(bytes, 5);
 * ```
 */
export function pipe<T>(
  source: ReadableStream<T> | Reader,
  sink: WritableStream<T> | Writer,
  options?: PipeOptions,
): Promise<PipeResult> {
  try {
    return open(source, sink, options ?? {}).result;
  } catch (error) {
    return Promise.reject(error);
  }
}

const ACTION = "pipe";

/** Checks everything, then locks both. */
function open(
  from: ReadableStream<unknown> | Reader,
  to: WritableStream<unknown> | Writer,
  options: PipeOptions,
): Piping {
  assertHalf(ACTION, "source", from, "read");
  assertHalf(ACTION, "sink", to, "write");
  if (!isObject(options)) refuse(ACTION, "options", "must be an object", options);
  // Getters are read once each, in the order of Web IDL: by name.
  const read = new OptionReader(ACTION);
  const buffer = read.buffer(options.buffer);
  const consumes = Boolean(options.consumesOnWrite);
  const limit = read.limit("limit", options.limit);
  const pool = read.instance("pool", options.pool, BufferPool, "BufferPool") ?? sharedPool;
  const { preventAbort, preventCancel, preventClose } = options;
  const rate = read.rate("rate", options.rate);
  const signal = read.signal(options.signal);
  const stats = read.stats(options.stats);
  if (buffer && isReadable(from)) refuse(ACTION, "buffer", "is for a Go-style source", from);
  // Reading `locked` also refuses what only inherits from a stream.
  if (isReadable(from) && from.locked) refuse(ACTION, "source", "must not be locked", from);
  if (isWritable(to) && to.locked) refuse(ACTION, "sink", "must not be locked", to);

  const meter = new Meter(Object.assign(stats ?? {}, { bytes: 0, chunks: 0 }));
  const sink = openSink(to, meter, consumes);
  let source: Source | undefined;
  try {
    const { permitsReuse } = sink;
    const errored = isReadable(from) && isWritable(to) ? erroredBefore(from) : undefined;
    source = errored ?? openSource(from, { pool, permitsReuse, isSaid: consumes, buffer });
    const isOne = Object.is(from, to);
    const rules = { preventAbort, preventCancel, preventClose, signal, isOne };
    return new Piping(new Pump(source, sink, meter, throttleFor(undefined, limit, rate)), rules);
  } catch (error) {
    source?.release(true);
    sink.release();
    throw error;
  }
}

type Rules = Pick<PipeOptions, "preventAbort" | "preventCancel" | "preventClose" | "signal"> & {
  /** The source is the sink. */
  readonly isOne: boolean;
};

/** One `pipe`: shutdown by the rules of ReadableStreamPipeTo, and both locks. */
class Piping implements PumpOwner {
  readonly result: Promise<PipeResult>;
  readonly #pump: Pump;
  readonly #rules: Rules;
  /** The signal had aborted before anything could be read. */
  readonly #abortedBefore: boolean;
  #isShuttingDown = false;
  #unlisten?: () => void;
  /** Ends a wait for what a Go-style sink writes, or for its end. */
  #cut?: () => void;
  #settle!: { resolve: (result: PipeResult) => void; reject: (error: unknown) => void };

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
    // All writes to a stream are waited for; to a Go-style sink nothing more is written.
    if (this.#isShuttingDown && this.#pump.sink.closed) this.#pump.skipWaiting();
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
      const isCut =
        this.#finishesWriting(failed) && await this.#isCutDuring(this.#writeRest(failed), cut) ||
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

  /** Fulfils once all that has been read is written; after an abort without waiting for the rate. */
  #writeRest(failed?: Failed): Promise<void> {
    if (failed && !failed.side) this.#pump.skipWaiting();
    return this.#pump.settled();
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
