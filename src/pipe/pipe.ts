// Public: `pipe()`, by the rules of ReadableStreamPipeTo.

import { BufferPool, sharedPool } from "../buffer_pool.ts";
import { assertHalf } from "../check/end.ts";
import { isObject, isReadable, isWritable } from "../check/kinds.ts";
import { OptionReader } from "../check/options.ts";
import { refuse } from "../check/refuse.ts";
import { erroredBefore } from "./errored_before.ts";
import { Meter } from "../core/meter.ts";
import { openSink, openSource } from "../core/open.ts";
import { Pump } from "../core/pump.ts";
import type { Source } from "../core/source.ts";
import { throttleFor } from "../core/throttle.ts";
import type { Counts } from "../counts.ts";
import type { Reader, Writer } from "../ends.ts";
import { Piping } from "./piping.ts";

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
   * the sink will have taken. What it has not is lost. A stream that workerd itself makes, a socket's or a
   * request's body, stays locked if a read is under way, and what that brings is lost.
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
