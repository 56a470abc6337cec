// Opens what a pump reads from: a stream, a byte stream by BYOB, or a Go-style end. For the core alone.

import type { BufferPool } from "../buffer_pool.ts";
import type { Direct } from "./bypass.ts";
import { isReadable } from "../check/kinds.ts";
import type { Reader } from "../ends.ts";
import { assertSize } from "../check/refuse.ts";
import { leaveRead, putBack, readNext } from "./pending_reads.ts";
import { CallersLoan, type Loan, PooledLoan, STREAM } from "./read_memory.ts";

/** What {@linkcode Source.take} returns at the end of the source. */
export const EOF = Symbol("end of file");
/** What {@linkcode Source.take} returns when a read brought nothing, and that is no end. */
export const NOTHING = Symbol("nothing read");

/** As many reads of 0 bytes in a row as Go's `bufio` bears before `io.ErrNoProgress`. */
const MOST_EMPTY_READS = 100;

/**
 * What can be read. {@linkcode Source.pull} starts a read and {@linkcode Source.take} makes a chunk of
 * its result: two steps, so that the pump awaits the platform's own promise and no second one.
 */
export interface Source {
  /** Follows the stream's state; `undefined` where only a read tells. */
  readonly closed?: Follow;
  /** Whether a chunk's memory is used again once its write has settled. */
  readonly lends: boolean;
  /** Whether each chunk is a message: handed on whole, a text counted as UTF-8. */
  messages?: boolean;
  /** The next read waits for the platform's events, and lets everybody else go on meanwhile. */
  readonly willWait?: boolean;
  /** Starts a read of at most so many bytes, where that can be said: its result, or a promise of it. */
  pull(most?: number): unknown;
  /** The chunk in the result of a read. */
  take(result: unknown): unknown;
  /** The write of the last chunk is abandoned: its memory must not be touched again. */
  abandon(): void;
  /** Gives a waiting read up, so that what it would have brought stays in the stream; keeps the lock. */
  giveReadUp?(): void;
  /** Whoever reads next gets what a waiting read brings, which cannot be taken back. */
  leaveRead?(): void;
  /** Whoever reads next gets these bytes, the last of a chunk, which were not passed on. */
  putBack?(bytes: Uint8Array<ArrayBuffer>): void;
  /** Ends the source as `ReadableStream.cancel()` does; a stream already errored stays silent. */
  cancel(reason: unknown): void | Promise<void>;
  /** Unlocks a stream that has ended, so that whatever it belongs to can be closed. */
  unlock?(): void;
  /** The end that it is all of, if it is an adapter's. */
  readonly direct?: Direct;
  /** Unlocks; `settled` if no read, and no write of what was read, is still under way. */
  release(settled: boolean): void;
}

/** What can be followed by callbacks: a promise, or what is cheaper. */
export interface Follow {
  then(fulfilled: () => void, rejected: (error: unknown) => void): unknown;
}

/** How a source gets its memory. */
export interface SourceOptions {
  readonly pool: BufferPool;
  /** Whether the sink is done with a chunk once its write has settled. */
  readonly reused: boolean;
  /** Whether somebody has said so, and not just its kind. */
  readonly said?: boolean;
  readonly buffer?: Uint8Array<ArrayBuffer>;
}

/** Locks a stream, or takes a Go-style end. */
export function openSource(
  from: ReadableStream<unknown> | Reader,
  options: SourceOptions,
): Source {
  if (isReadable(from)) return new StreamSource(from, options);
  const { pool, reused, buffer } = options;
  return new ReaderSource(
    from,
    buffer ? new CallersLoan(buffer, reused) : new PooledLoan(pool, reused),
  );
}

interface StreamReader extends ReadableStreamGenericReader {
  /** A BYOB reader is given a view. */
  read(view?: Uint8Array<ArrayBuffer>): Promise<unknown>;
  releaseLock(): void;
}

/** workerd's own streams find 4 KiB for a read that brings no memory: a sixth of `pipeTo`'s speed. */
const FINDS_LITTLE = "readAtLeast" in (globalThis.ReadableStreamBYOBReader?.prototype ?? {});

/**
 * By the standard the BYOB read of a teed stream is never answered if its source closes without
 * `byobRequest.respond(0)`, and nothing tells (ReadableByteStreamTee, as of 2026; Deno has mended it,
 * https://github.com/denoland/deno/pull/35828). A default read is.
 */
const TEES_HANG = !("Deno" in globalThis);

/**
 * Any `ReadableStream`. A byte stream is read by its BYOB reader into lent memory if the sink gives that
 * back; a sink that may keep it needs fresh memory for each chunk anyhow, and the stream knows better how
 * much. Chunks of others are passed on as they come.
 */
class StreamSource implements Source {
  readonly closed: Promise<unknown>;
  readonly #stream: ReadableStream<unknown>;
  #reader: StreamReader;
  readonly #loan?: Loan;
  #errored = false;

  constructor(stream: ReadableStream<unknown>, { pool, reused, said }: SourceOptions) {
    this.#stream = stream;
    const lends = reused && (said || !TEES_HANG);
    const byob = lends || FINDS_LITTLE ? byobReader(stream) : undefined;
    if (byob) this.#loan = new PooledLoan(pool, reused, STREAM);
    this.#reader = byob ?? stream.getReader();
    this.closed = this.#reader.closed;
    this.closed.catch(() => this.#errored = true);
  }

  get lends(): boolean {
    return this.#loan?.reused ?? false;
  }

  pull(most?: number): Promise<unknown> {
    return this.#reader.read(this.#loan && atMost(this.#loan.view(), most));
  }

  take({ done, value }: ReadableStreamReadResult<unknown>): unknown {
    const loan = this.#loan;
    if (!loan) return done ? EOF : value;
    if (value === undefined) {
      loan.end(false);
      return EOF;
    }
    const { buffer, byteLength } = value as Uint8Array<ArrayBuffer>;
    const chunk = loan.filled(new Uint8Array(buffer), byteLength);
    return done ? EOF : chunk;
  }

  abandon(): void {
    this.#loan?.end(false);
  }

  giveReadUp(): void {
    this.#reader.releaseLock();
    this.#reader = this.#stream.getReader();
  }

  async cancel(reason: unknown): Promise<void> {
    try {
      await this.#reader.cancel(reason);
    } catch (error) {
      if (!this.#errored) throw error;
    }
  }

  unlock(): void {
    this.#reader.releaseLock();
  }

  release(settled: boolean): void {
    this.#loan?.end(settled);
    this.unlock();
  }
}

function atMost(view: Uint8Array<ArrayBuffer>, most = Infinity): Uint8Array<ArrayBuffer> {
  return view.length > most ? view.subarray(0, most) : view;
}

function byobReader(stream: ReadableStream<unknown>): StreamReader | undefined {
  try {
    return stream.getReader({ mode: "byob" }) as StreamReader;
  } catch {
    // It is no byte stream; if anything else is wrong, `getReader()` tells.
  }
}

/** A Go-style end, read into a lent buffer. */
export class ReaderSource implements Source {
  readonly #reader: Reader;
  readonly #loan: Loan;
  #buffer?: Uint8Array<ArrayBuffer>;
  /** What is read into: the buffer, or as much of it as may be. */
  #view?: Uint8Array<ArrayBuffer>;
  #read: unknown;
  #emptyReads = 0;

  constructor(reader: Reader, loan: Loan) {
    this.#reader = reader;
    this.#loan = loan;
  }

  get lends(): boolean {
    return this.#loan.reused;
  }

  get willWait(): boolean {
    return this.#loan.emptied;
  }

  pull(most?: number): unknown {
    this.#buffer = this.#loan.view();
    this.#view = atMost(this.#buffer, most);
    return this.#read = readNext(this.#reader, this.#view);
  }

  take(count: unknown): unknown {
    if (count === null) return EOF;
    const view = this.#view!;
    assertSize("read", "count", count, 0, view.length);
    if (count > 0) {
      this.#emptyReads = 0;
      return this.#loan.filled(this.#buffer!, count);
    }
    if (++this.#emptyReads === MOST_EMPTY_READS) {
      throw new Error(`${MOST_EMPTY_READS} reads in a row gave 0 bytes and no end of file`);
    }
    return NOTHING;
  }

  abandon(): void {
    this.#loan.end(false);
  }

  leaveRead(): void {
    leaveRead(this.#reader, this.#read as PromiseLike<unknown>, this.#view!);
  }

  putBack(bytes: Uint8Array<ArrayBuffer>): void {
    putBack(this.#reader, bytes);
  }

  async cancel(): Promise<void> {
    await this.#reader.close?.();
  }

  release(settled: boolean): void {
    this.#loan.end(settled);
  }
}

/** An adapter's end, past its streams. */
export class DirectSource implements Source {
  readonly closed?: Follow;
  readonly willWait = true;
  readonly direct: Direct;
  readonly lends: boolean;
  #last?: Uint8Array<ArrayBuffer> | null;

  constructor(direct: Direct, { reused }: SourceOptions) {
    this.direct = direct;
    this.closed = direct.lost;
    this.lends = reused && direct.spent !== undefined;
  }

  pull(): unknown {
    if (this.#last) {
      this.direct.spent!(this.#last);
      this.#last = undefined;
    }
    return this.direct.pull();
  }

  take(chunk: unknown): unknown {
    if (this.lends) this.#last = chunk as Uint8Array<ArrayBuffer> | null;
    return chunk ?? EOF;
  }

  abandon(): void {
    this.#last = undefined;
  }

  /** It is ended as a whole. */
  cancel(): void {}

  release(): void {
    this.direct.forgetRead();
  }
}
