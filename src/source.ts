import type { BufferPool } from "./buffer_pool.ts";
import type { Direct } from "./direct.ts";
import type { Reader } from "./ends.ts";
import { show } from "./errors.ts";
import { CallersLoan, type Loan, PooledLoan } from "./loan.ts";

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
  /** Whether a read may stay pending although the stream has closed. */
  readonly mayForgetReads: boolean;
  /** Starts a read: its result, or a promise of it. */
  pull(): unknown;
  /** The chunk in the result of a read. */
  take(result: unknown): unknown;
  /** The write of the last chunk is abandoned: its memory must not be touched again. */
  abandon(): void;
  /** Gives a waiting read up, so that what it would have brought stays in the stream; keeps the lock. */
  giveReadUp?(): void;
  /** Ends the source as `ReadableStream.cancel()` does; a stream already errored stays silent. */
  cancel(reason: unknown): void | Promise<void>;
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
  readonly buffer?: Uint8Array<ArrayBuffer>;
}

/** Locks `stream` and reads it the cheapest way it offers. */
export function streamSource(stream: ReadableStream<unknown>, options: SourceOptions): Source {
  const reader = byobReader(stream);
  return reader !== undefined
    ? new ByteStreamSource(stream, reader, new PooledLoan(options.pool, options.reused))
    : new StreamSource(stream, stream.getReader());
}

/** Reads a Go-style end. */
export function readerSource(reader: Reader, { pool, reused, buffer }: SourceOptions): Source {
  const loan = buffer ? new CallersLoan(buffer, reused) : new PooledLoan(pool, reused);
  return new ReaderSource(reader, loan);
}

/** `undefined` for a stream that is no byte stream, or one that a platform does not read so. */
function byobReader(stream: ReadableStream<unknown>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    // getReader() without a mode tells what is wrong, if anything is.
    return undefined;
  }
}

abstract class LockedSource<R extends ReadableStreamBYOBReader | ReadableStreamDefaultReader> {
  readonly closed: Promise<unknown>;
  protected readonly reader: R;
  readonly #stream: ReadableStream<unknown>;
  /** What holds the lock once the reader has let go of its read. */
  #keeper?: ReadableStreamDefaultReader;
  #errored = false;

  constructor(stream: ReadableStream<unknown>, reader: R) {
    this.#stream = stream;
    this.reader = reader;
    this.closed = reader.closed;
    this.closed.catch(() => this.#errored = true);
  }

  giveReadUp(): void {
    this.reader.releaseLock();
    this.#keeper = this.#stream.getReader();
  }

  protected unlock(): void {
    (this.#keeper ?? this.reader).releaseLock();
  }

  async cancel(reason: unknown): Promise<void> {
    try {
      await this.reader.cancel(reason);
    } catch (error) {
      if (!this.#errored) throw error;
    }
  }
}

/** Any `ReadableStream`, by its default reader: its chunks are passed on as they come. */
class StreamSource extends LockedSource<ReadableStreamDefaultReader> implements Source {
  readonly mayForgetReads = false;

  pull(): Promise<unknown> {
    return this.reader.read();
  }

  take(result: ReadableStreamReadResult<unknown>): unknown {
    return result.done ? EOF : result.value;
  }

  abandon(): void {}

  release(): void {
    this.unlock();
  }
}

/** A byte stream, by its BYOB reader into lent buffers. */
class ByteStreamSource extends LockedSource<ReadableStreamBYOBReader> implements Source {
  // A source that calls controller.close() without byobRequest.respond(0) closes its stream and never
  // answers the read (Streams standard, ReadableByteStreamControllerClose).
  readonly mayForgetReads = true;
  readonly #loan: Loan;

  constructor(
    stream: ReadableStream<unknown>,
    reader: ReadableStreamBYOBReader,
    loan: Loan,
  ) {
    super(stream, reader);
    this.#loan = loan;
  }

  pull(): Promise<unknown> {
    return this.reader.read(this.#loan.view());
  }

  take({ done, value }: ReadableStreamReadResult<Uint8Array<ArrayBuffer>>): unknown {
    if (value === undefined) {
      this.#loan.abandon();
      return EOF;
    }
    const chunk = this.#loan.filled(new Uint8Array(value.buffer), value.byteLength);
    return done ? EOF : chunk;
  }

  abandon(): void {
    this.#loan.abandon();
  }

  release(settled: boolean): void {
    this.#loan.end(settled);
    this.unlock();
  }
}

/** A Go-style end, read into a lent buffer. */
class ReaderSource implements Source {
  readonly mayForgetReads = false;
  readonly #reader: Reader;
  readonly #loan: Loan;
  #view?: Uint8Array<ArrayBuffer>;
  #emptyReads = 0;

  constructor(reader: Reader, loan: Loan) {
    this.#reader = reader;
    this.#loan = loan;
  }

  pull(): unknown {
    return this.#reader.read(this.#view = this.#loan.view());
  }

  take(count: unknown): unknown {
    if (count === null) return EOF;
    const view = this.#view!;
    if (typeof count !== "number" || !Number.isInteger(count) || count < 0 || count > view.length) {
      throw new RangeError(
        `A read must give a count of 0 to ${view.length} bytes, or null at the end: got ${
          show(count)
        }`,
      );
    }
    if (count > 0) {
      this.#emptyReads = 0;
      return this.#loan.filled(view, count);
    }
    if (++this.#emptyReads === MOST_EMPTY_READS) {
      throw new Error(`${MOST_EMPTY_READS} reads in a row gave 0 bytes and no end of file`);
    }
    return NOTHING;
  }

  abandon(): void {
    this.#loan.abandon();
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
  readonly mayForgetReads = false;
  readonly closed?: Follow;
  readonly #direct: Direct;
  readonly #reused: boolean;
  #last?: Uint8Array<ArrayBuffer> | null;

  constructor(direct: Direct, { reused }: SourceOptions) {
    this.#direct = direct;
    this.closed = direct.lost;
    this.#reused = reused && direct.spent !== undefined;
    direct.reading = true;
  }

  pull(): unknown {
    if (this.#last) {
      this.#direct.spent!(this.#last);
      this.#last = undefined;
    }
    return this.#direct.pull();
  }

  take(result: unknown): unknown {
    const chunk = this.#direct.take(result);
    if (this.#reused) this.#last = chunk;
    return chunk ?? EOF;
  }

  abandon(): void {
    this.#last = undefined;
  }

  async cancel(): Promise<void> {
    await this.#direct.close();
  }

  release(): void {
    this.#direct.reading = false;
  }
}
