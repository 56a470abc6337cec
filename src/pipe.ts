import type { BufferPool } from "./buffer_pool.ts";
import { assertHalf } from "./assert_end.ts";
import { isReadable, isWritable, type Reader, type Writer } from "./ends.ts";
import { type Counts, show } from "./errors.ts";
import type { Ending } from "./loop.ts";
import { Meter } from "./meter.ts";
import { OptionReader } from "./options.ts";
import { Pump, type PumpOwner } from "./pump.ts";
import { shaperFor } from "./shaper.ts";
import { type Sink, StreamSink, WriterSink } from "./sink.ts";
import { readerSource, type Source, streamSource } from "./source.ts";

/** Options of {@linkcode pipe}: those of `ReadableStream.pipeTo()`, and some more. */
export interface PipeOptions {
  /**
   * A buffer of the caller's to read a Go-style source into, as in Go's `io.CopyBuffer`. It belongs to
   * `pipe` until the promise settles; after an abort or a failed write, until the source's pending read
   * does.
   */
  buffer?: Uint8Array<ArrayBuffer>;
  /**
   * Whether a chunk's memory may be reused once the sink's write has settled. Always so for a Go-style
   * sink; never say so of a stream that queues.
   *
   * @default {false}
   */
  consumesOnWrite?: boolean;
  /** Bytes that may pass; the first one past it fails. A positive safe integer. */
  limit?: number;
  /** Where buffers come from; by default a pool that everything shares. */
  pool?: BufferPool;
  /**
   * After a failed read, leave the sink open.
   *
   * @default {false}
   */
  preventAbort?: boolean;
  /**
   * After a failed write, leave the source open.
   *
   * @default {false}
   */
  preventCancel?: boolean;
  /**
   * At the end of the source, leave the sink open.
   *
   * @default {false}
   */
  preventClose?: boolean;
  /** Bytes a second, more than 0, with bursts of at most 100 ms worth. */
  rate?: number;
  /** Aborts the pipe. */
  signal?: AbortSignal;
  /** The caller's object, which is given live `bytes` and `chunks`. */
  stats?: Partial<Counts>;
}

/** What {@linkcode pipe} has moved. */
export type PipeResult = Counts;

/**
 * Moves everything from `source` to `sink`: `source.pipeTo(sink)` by the rules of the Streams
 * standard (ReadableStreamPipeTo), with a count, and for Go-style ends as well.
 *
 * Chunks may be of any type; one that is neither an `ArrayBuffer` nor a view counts 0 bytes. A chunk
 * counts once the sink's write of it has fulfilled. Both streams are locked before `pipe` returns and
 * unlocked before its promise settles.
 *
 * A byte stream and a Go-style source are read into pooled buffers. What a `WritableStream` is given
 * is its own for good, unless `consumesOnWrite` says otherwise.
 *
 * - At the end of the source the sink is closed: `close()`, or of a Go-style sink `closeWrite()`, else
 *   `close()`. A Go-style source that has ended is left open.
 * - After a failed read the sink is aborted with the error: `abort(reason)`, for lack of it `close()`.
 * - After a failed write the source is cancelled with the error; a Go-style source is closed.
 * - After `limit` and when `signal` aborts both happen. As in `pipeTo`, an abort waits for the writes
 *   of a `WritableStream` that are under way; {@linkcode join} does not.
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
    return new Pipe(source, sink, options ?? {}).result;
  } catch (error) {
    return Promise.reject(error);
  }
}

const ACTION = "Cannot pipe";

/** One `pipe`: the four propagation rules, shutdown and locks of ReadableStreamPipeTo. */
class Pipe implements PumpOwner {
  readonly result: Promise<PipeResult>;
  readonly #counts: Counts;
  readonly #source: Source;
  readonly #sink: Sink;
  readonly #pump: Pump;
  readonly #preventAbort: boolean;
  readonly #preventCancel: boolean;
  readonly #preventClose: boolean;
  readonly #signal?: AbortSignal;
  #shuttingDown = false;
  #settle!: { resolve: (result: PipeResult) => void; reject: (error: unknown) => void };

  constructor(
    source: ReadableStream<unknown> | Reader,
    sink: WritableStream<unknown> | Writer,
    options: PipeOptions,
  ) {
    assertHalf(ACTION, "source", source, "read");
    assertHalf(ACTION, "sink", sink, "write");
    if (typeof options !== "object" && typeof options !== "function") {
      throw new TypeError(`${ACTION} as the options must be an object: got ${show(options)}`);
    }
    // Getters are read once each, in the order of Web IDL: by name.
    const read = new OptionReader(ACTION);
    const buffer = read.buffer(options.buffer);
    const consumes = Boolean(options.consumesOnWrite);
    const limit = read.limit("limit", options.limit);
    const pool = read.pool(options.pool);
    this.#preventAbort = Boolean(options.preventAbort);
    this.#preventCancel = Boolean(options.preventCancel);
    this.#preventClose = Boolean(options.preventClose);
    const rate = read.rate("rate", options.rate);
    this.#signal = read.signal(options.signal);
    const stats = read.stats(options.stats);
    if (buffer && isReadable(source)) {
      throw new TypeError(`${ACTION} as 'buffer' is for a Go-style source: got a ReadableStream`);
    }
    assertUnlocked("source", source);
    assertUnlocked("sink", sink);

    this.#counts = Object.assign(stats ?? {}, { bytes: 0, chunks: 0 });
    const meter = new Meter(this.#counts);
    this.#sink = isWritable(sink)
      ? new StreamSink(sink, meter, consumes)
      : new WriterSink(sink, meter);
    const memory = { pool, reused: this.#sink.consumes, buffer };
    try {
      this.#source = isReadable(source)
        ? streamSource(source, memory)
        : readerSource(source, memory);
    } catch (error) {
      this.#sink.release();
      throw error;
    }
    this.#pump = new Pump(this.#source, this.#sink, meter, shaperFor(limit, rate));
    this.result = new Promise((resolve, reject) => this.#settle = { resolve, reject });
    this.#start();
  }

  #start(): void {
    const signal = this.#signal;
    if (signal?.aborted) return void this.#abort();
    signal?.addEventListener("abort", this.#onAbort);
    this.#pump.start(this);
  }

  readonly #onAbort = () => {
    this.#pump.stop();
    // A stream that ended before the signal aborted shows it within a microtask, and goes first. So
    // does a read that was answered: its chunk must be written.
    queueMicrotask(() => {
      this.#pump.check();
      if (!this.#shuttingDown) void this.#abort();
    });
  };

  /** By the four propagation rules. */
  pumpEnded(ending: Ending): Promise<void> {
    const { how } = ending;
    const sink = this.#sink;
    // Closing must be propagated forward.
    if (how === "eof") {
      return this.#shutdown(this.#preventClose ? undefined : () => sink.end());
    }
    const { side, error } = ending;
    const abort = () => sink.abort(error);
    const cancel = () => this.#source.cancel(error);
    const actions = [];
    // Errors must be propagated forward, ...
    if (side !== "write" && !this.#preventAbort) actions.push(abort);
    // ... and errors and closing backward. A limit is an error of neither side.
    if (side !== "read" && !this.#preventCancel) actions.push(cancel);
    return this.#shutdown(all(actions), { error });
  }

  #abort(): Promise<void> {
    const error: unknown = this.#signal!.reason;
    const sink = this.#sink;
    const actions: Action[] = [];
    if (!this.#preventAbort) actions.push(() => sink.writable ? sink.abort(error) : undefined);
    if (!this.#preventCancel) actions.push(() => this.#source.cancel(error));
    this.#pump.stop();
    this.#pump.shaper?.hurry();
    // The rule to wait for writes is one for streams; a Go-style sink's may need the abort to end.
    return this.#shutdown(all(actions), { error }, sink.closed === undefined);
  }

  async #shutdown(
    action?: Action,
    failure?: { error: unknown },
    atOnce = false,
  ): Promise<void> {
    if (this.#shuttingDown) return;
    this.#shuttingDown = true;
    let outcome = failure;
    try {
      if (!atOnce && this.#sink.writable) await this.#pump.settled();
      if (failure && this.#preventCancel) await this.#pump.leaveUnread();
      await action?.();
    } catch (error) {
      outcome = { error };
    }
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#pump.release();
    if (outcome) this.#settle.reject(outcome.error);
    else this.#settle.resolve({ bytes: this.#counts.bytes, chunks: this.#counts.chunks });
  }
}

type Action = () => void | Promise<unknown>;

/** All of the actions, at once. */
function all(actions: Action[]): Action {
  return () => Promise.all(actions.map((action) => action()));
}

/** Reading `locked` also refuses what only inherits from a stream. */
function assertUnlocked(name: string, half: unknown): void {
  if ((isReadable(half) || isWritable(half)) && half.locked) {
    throw new TypeError(
      `${ACTION} as '${name}' must not be locked: it has a reader or writer, or is piped`,
    );
  }
}
