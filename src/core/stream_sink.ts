// The sink of a `WritableStream`; for the core alone.

import type { Meter } from "./meter.ts";
import { type Sink, type SinkWatcher, WRITTEN } from "./sink.ts";
import type { Source } from "./source.ts";
import { takenFromNow } from "./taken.ts";

const ignore = () => {};

/** Any `WritableStream`, locked. */
export class StreamSink implements Sink<void> {
  readonly closed: Promise<unknown>;
  readonly permitsReuse: boolean;
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  readonly #meter: Meter;
  readonly #taken: () => number;
  #watcher?: SinkWatcher;
  /** The source uses the memory of its chunks again: each write is waited for. */
  #isReused = false;
  /** Closed, erroring, errored, or no longer locked by this sink. */
  #over = false;
  #released = false;
  #pendingWrites = 0;
  /** The size of the chunk whose write the pump waits for. */
  #awaitedSize = 0;
  /** Whether `desiredSize` reacts to a write (workerd's does not); learned from the first write. */
  #desiredSizeReacts?: boolean;

  constructor(stream: WritableStream<unknown>, meter: Meter, permitsReuse: boolean) {
    this.#writer = stream.getWriter();
    this.#meter = meter;
    this.permitsReuse = permitsReuse;
    this.#taken = takenFromNow(stream);
    this.closed = this.#writer.closed;
    const over = () => this.#over = true;
    this.closed.then(over, over);
  }

  attach(watcher: SinkWatcher, source: Source): void {
    this.#watcher = watcher;
    this.#isReused = source.reusesMemory;
  }

  get full(): boolean {
    return !(this.#writer.desiredSize! > 0);
  }

  get over(): boolean {
    return this.#over || this.#writer.desiredSize === null;
  }

  get pending(): boolean {
    return this.#pendingWrites > 0;
  }

  ready(): Promise<void> {
    // workerd gives a `desiredSize` although the stream is erroring.
    return this.#writer.ready.then(ignore, () => {
      this.#over = true;
    });
  }

  write(chunk: unknown, size: number): typeof WRITTEN | Promise<void> {
    // The stream may call its underlying sink at once, which may abort the join: the write is pending by then.
    this.#pendingWrites++;
    const room = this.#desiredSizeReacts === undefined && size > 0
      ? this.#writer.desiredSize
      : undefined;
    const written = this.#writer.write(chunk);
    if (room !== undefined) {
      this.#desiredSizeReacts = room === Infinity || this.#writer.desiredSize !== room;
    }
    // A lone write that fills the stream settles just when the stream is ready again: one wait for both. And
    // where `desiredSize` never shows that a stream is full, one write at a time is the only bound.
    if (
      this.#pendingWrites === 1 &&
      (this.#isReused || this.full || this.#desiredSizeReacts === false)
    ) {
      this.#awaitedSize = size;
      return written;
    }
    written.then(() => {
      this.#written(size);
      this.#watcher?.onWriteSettled();
    }, (error) => this.writeFailed(error));
    return WRITTEN;
  }

  accept(): typeof WRITTEN {
    this.#written(this.#awaitedSize);
    return WRITTEN;
  }

  /** Counts what was taken. Says that the sink is closing, unless it is erroring: then `closed` tells why. */
  writeFailed(error: unknown): void {
    this.#pendingWrites--;
    this.#countTaken();
    this.#watcher?.onWriteSettled();
    if (this.#pendingWrites > 0 || this.#over) return;
    const closing = () => {
      if (!this.#over) this.#watcher?.onSinkClosing();
    };
    // Deno 2.9 makes an error of the stream's, another one, of a write that comes while it is closing.
    this.#writer.ready.then(closing, (reason) => reason === error || closing());
  }

  /** As WritableStreamDefaultWriterCloseWithErrorPropagation: no failure if it is being closed already. */
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
    this.#countTaken();
    this.#over = true;
    this.#writer.releaseLock();
  }

  release(): void {
    this.unlock();
    this.#released = true;
  }

  #written(size: number): void {
    this.#pendingWrites--;
    // What has been reported does not change any more.
    if (!this.#released) this.#meter.add(size, 1);
  }

  /** Counts what the stream has taken of a failed or unfinished write, too: it may reach the peer. */
  #countTaken(): void {
    if (!this.#released) this.#meter.atLeast(this.#taken());
  }
}
