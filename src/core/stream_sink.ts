// Opens what a pump writes to, and the sink of a `WritableStream`; for the core alone.

import { isWritable } from "../check/kinds.ts";
import type { Writer } from "../ends.ts";
import type { Meter } from "./meter.ts";
import { takenFromNow } from "./taken.ts";
import { type Sink, type SinkWatcher, WRITTEN } from "./sink.ts";
import { WriterSink } from "./writer_sink.ts";

/** Locks a stream, or takes a Go-style end. */
export function openSink(
  to: WritableStream<unknown> | Writer,
  meter: Meter,
  consumes = false,
): Sink {
  return isWritable(to) ? new StreamSink(to, meter, consumes) : new WriterSink(to, meter);
}

const ignore = () => {};

/** Any `WritableStream`. */
class StreamSink implements Sink {
  readonly closed: Promise<unknown>;
  readonly consumes: boolean;
  lent = false;
  watcher?: SinkWatcher;
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  readonly #meter: Meter;
  /** Closed, erroring, errored, or no longer ours. */
  #over = false;
  #released = false;
  #outstanding = 0;
  #awaitedSize = 0;
  readonly #taken: () => number;
  /** Whether a write takes room, as the first one shows. */
  #counts?: boolean;

  constructor(stream: WritableStream<unknown>, meter: Meter, consumes: boolean) {
    this.#writer = stream.getWriter();
    this.#meter = meter;
    this.consumes = consumes;
    this.#taken = takenFromNow(stream);
    this.closed = this.#writer.closed;
    const over = () => this.#over = true;
    this.closed.then(over, over);
  }

  get full(): boolean {
    return !(this.#writer.desiredSize! > 0);
  }

  get over(): boolean {
    return this.#over || this.#writer.desiredSize === null;
  }

  get pending(): boolean {
    return this.#outstanding > 0;
  }

  ready(): Promise<void> {
    // An erroring stream of workerd's still has a `desiredSize`.
    return this.#writer.ready.then(ignore, () => {
      this.#over = true;
    });
  }

  write(chunk: unknown, size: number): typeof WRITTEN | Promise<void> {
    // The stream may call its sink at once, and that may abort the join: the write is pending by then.
    this.#outstanding++;
    const room = this.#counts === undefined && size > 0 ? this.#writer.desiredSize : undefined;
    const written = this.#writer.write(chunk);
    // The streams of workerd have room for one always, however many wait: the only bound is one at a time.
    if (room !== undefined) this.#counts = room === Infinity || this.#writer.desiredSize !== room;
    // Alone and at the high-water mark, it settles just when the stream gets ready: one wait for both.
    if (this.#outstanding === 1 && (this.lent || this.full || this.#counts === false)) {
      this.#awaitedSize = size;
      return written;
    }
    written.then(() => {
      this.#fulfilled(size);
      this.watcher?.writeSettled();
    }, (error) => this.refuse(error));
    return WRITTEN;
  }

  accept(): typeof WRITTEN {
    this.#fulfilled(this.#awaitedSize);
    return WRITTEN;
  }

  /** A stream that is erroring tells in `closed` in the end; one that is not is being closed. */
  refuse(error: unknown): void {
    this.#outstanding--;
    this.#countPart();
    this.watcher?.writeSettled();
    if (this.#outstanding > 0 || this.#over) return;
    const closing = () => {
      if (!this.#over) this.watcher?.closedEarly();
    };
    // Deno 2.9 makes an error of the stream's, another one, of a write that comes while it is closing.
    this.#writer.ready.then(closing, (reason) => reason === error || closing());
  }

  /** As WritableStreamDefaultWriterCloseWithErrorPropagation: fine if it is being closed already. */
  async end(): Promise<void> {
    try {
      await this.#writer.close();
    } catch {
      await Promise.race([this.closed, undefined]);
    }
  }

  abort(reason: unknown): Promise<void> {
    return this.#writer.abort(reason);
  }

  unlock(): void {
    this.#countPart();
    this.#over = true;
    this.#writer.releaseLock();
  }

  release(): void {
    this.unlock();
    this.#released = true;
  }

  #fulfilled(size: number): void {
    this.#outstanding--;
    // What has been reported does not change any more.
    if (!this.#released) this.#meter.add(size, 1);
  }

  /** What was taken of a write that has failed, or is broken off, may reach the peer. */
  #countPart(): void {
    if (!this.#released) this.#meter.atLeast(this.#taken());
  }
}
