import { byteLengthOf, bytesOf } from "./bytes.ts";
import type { Direct } from "./direct.ts";
import type { Writer } from "./ends.ts";
import { show } from "./errors.ts";
import type { Meter } from "./meter.ts";

/** What {@linkcode Sink.write} returns when there is nothing to await and nothing to accept. */
export const WRITTEN = Symbol("written");

/**
 * What can be written. {@linkcode Sink.write} starts a write and {@linkcode Sink.accept} looks at its
 * result, for the same reason as in a source.
 */
export interface Sink {
  /** Follows the stream's state; `undefined` where only a write tells. */
  readonly closed?: Promise<unknown>;
  /** Told what neither a write nor `closed` tells. */
  watcher?: SinkWatcher;
  /** Whether a chunk's memory may be used again once its write has settled. */
  readonly consumes: boolean;
  /** Whether backpressure forbids to read for it now. */
  readonly full: boolean;
  /** Whether it can still be written to: neither erroring, nor errored, nor closed. */
  readonly writable: boolean;
  /** Whether a write is under way. */
  readonly pending: boolean;
  /** Fulfils, never rejects, once it is no longer full or never will be. */
  ready(): Promise<void>;
  /**
   * Starts a write of `chunk`, `size` bytes: {@linkcode WRITTEN}, or the result to accept before the
   * next read, or a promise of it.
   */
  write(chunk: unknown, size: number): unknown;
  /** Takes the result of a write; `false` if {@linkcode Sink.writeRest} must follow. */
  accept(result: unknown): boolean;
  /** Writes what the last write has left. */
  writeRest(): unknown;
  /** The write, or what it gave, has failed. */
  refuse(error: unknown): void;
  /** Fulfils, never rejects, once every write has settled. */
  drained(): Promise<void>;
  /** Ends writing after success. */
  end(): Promise<void>;
  /** Ends writing after a failure. */
  abort(reason: unknown): void | Promise<void>;
  /** Unlocks. */
  release(): void;
}

/** Who writes to a sink. */
export interface SinkWatcher {
  /** It takes nothing more: with an error, or because somebody else is closing it. */
  closedEarly(error?: unknown): void;
}

const ignore = () => {};

/** Any `WritableStream`. */
export class StreamSink implements Sink {
  readonly closed: Promise<unknown>;
  readonly consumes: boolean;
  watcher?: SinkWatcher;
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  readonly #meter: Meter;
  /** Closed, errored, or no longer ours. */
  #over = false;
  #erroring = false;
  #released = false;
  #outstanding = 0;
  #awaitedSize = 0;
  /** Whether a write takes room at once, as the standard has it. */
  #fills?: boolean;
  #last?: Promise<void>;

  constructor(stream: WritableStream<unknown>, meter: Meter, consumes: boolean) {
    this.#writer = stream.getWriter();
    this.#meter = meter;
    this.consumes = consumes;
    this.closed = this.#writer.closed;
    const over = () => this.#over = true;
    this.closed.then(over, over);
  }

  get full(): boolean {
    return !(this.#writer.desiredSize! > 0);
  }

  get writable(): boolean {
    return !this.#over && !this.#erroring && this.#writer.desiredSize !== null;
  }

  get pending(): boolean {
    return this.#outstanding > 0;
  }

  ready(): Promise<void> {
    // An erroring stream of workerd's still has a `desiredSize`.
    return this.#writer.ready.then(ignore, () => {
      this.#erroring = true;
    });
  }

  write(chunk: unknown, size: number): typeof WRITTEN | Promise<void> {
    // The stream may call its sink at once, and that may abort the join: the write is pending by then.
    this.#outstanding++;
    const room = this.#fills === undefined && size > 0 ? this.#writer.desiredSize : undefined;
    const written = this.#last = this.#writer.write(chunk);
    // The streams of workerd have room for one always, however many wait: the only bound is one at a time.
    if (room !== undefined) this.#fills = this.#writer.desiredSize !== room;
    // Alone and at the high-water mark, it settles just when the stream gets ready: one wait for both.
    if (this.#outstanding === 1 && (this.consumes || this.full || this.#fills === false)) {
      this.#awaitedSize = size;
      return written;
    }
    written.then(() => this.#fulfilled(size), (error) => this.refuse(error));
    return WRITTEN;
  }

  accept(): boolean {
    this.#fulfilled(this.#awaitedSize);
    return true;
  }

  writeRest(): void {}

  /** A stream that is erroring tells in `closed` in the end; one that is not is being closed. */
  refuse(error: unknown): void {
    if (--this.#outstanding > 0 || this.#over) return;
    const closing = () => {
      if (!this.#over) this.watcher?.closedEarly();
    };
    // Deno 2.9 makes an error of the stream's, another one, of a write that comes while it is closing.
    this.#writer.ready.then(closing, (reason) => reason === error || closing());
  }

  async drained(): Promise<void> {
    let last;
    do {
      last = this.#last;
      // A failed write shows in `closed`.
      await last?.catch(ignore);
    } while (last !== this.#last);
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

  release(): void {
    this.#over = this.#released = true;
    this.#writer.releaseLock();
  }

  #fulfilled(size: number): void {
    this.#outstanding--;
    // What has been reported does not change any more.
    if (!this.#released) this.#meter.add(size, 1);
  }
}

type Writing = Writer | Direct;

/** A Go-style end, whose writes may be partial. */
export class WriterSink implements Sink {
  watcher?: SinkWatcher;
  pending = false;
  readonly #writer: Writing;
  readonly #meter: Meter;
  #rest?: Uint8Array<ArrayBuffer>;

  constructor(writer: Writing, meter: Meter) {
    this.#writer = writer;
    this.#meter = meter;
  }

  get consumes(): boolean {
    return true;
  }

  get full(): boolean {
    return false;
  }

  get writable(): boolean {
    return true;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  write(chunk: unknown): unknown {
    const bytes = bytesOf(chunk);
    if (bytes === undefined) {
      throw new TypeError(
        `Only an ArrayBuffer or a view can be written to a Go-style end: got ${show(chunk)}`,
      );
    }
    if (bytes.length === 0) {
      this.#meter.add(0, 1);
      return WRITTEN;
    }
    this.#rest = bytes;
    return this.writeRest();
  }

  writeRest(): unknown {
    this.pending = true;
    return this.#writer.write(this.#rest!);
  }

  accept(count: unknown): boolean {
    const { length } = this.#rest!;
    this.pending = false;
    if (count === length) {
      this.#meter.add(length, 1);
      // An idle join must not keep its last chunk.
      this.#rest = undefined;
      return true;
    }
    if (
      typeof count !== "number" || !Number.isInteger(count) || count <= 0 || count > length
    ) {
      throw new RangeError(
        `A write of ${length} bytes must give a count of 1 to ${length}: got ${show(count)}`,
      );
    }
    this.#meter.add(count, 0);
    this.#rest = this.#rest!.subarray(count);
    return false;
  }

  refuse(): void {
    this.pending = false;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  async end(): Promise<void> {
    if (this.#writer.closeWrite) await this.#writer.closeWrite();
    else await this.#writer.close?.();
  }

  async abort(reason: unknown): Promise<void> {
    if (this.#writer.abort) await this.#writer.abort(reason);
    else await this.#writer.close?.();
  }

  release(): void {}
}

/** An adapter's end, past its streams. */
export class DirectSink extends WriterSink {
  readonly #direct: Direct;

  constructor(direct: Direct, meter: Meter) {
    super(direct, meter);
    this.#direct = direct;
    direct.writer = this;
  }

  override get consumes(): boolean {
    return this.#direct.consumesOnWrite;
  }

  override release(): void {
    this.#direct.writer = undefined;
  }
}

/** Drops what it is given, uncounted. */
export const discard: Sink = {
  consumes: true,
  full: false,
  writable: true,
  pending: false,
  ready: () => Promise.resolve(),
  write: () => WRITTEN,
  accept: () => true,
  writeRest: () => undefined,
  refuse: ignore,
  drained: () => Promise.resolve(),
  end: () => Promise.resolve(),
  abort: ignore,
  release: ignore,
};

/** Writes a whole chunk, as long as `goOn` says so. */
export async function writeWhole(
  sink: Sink,
  chunk: unknown,
  goOn: () => boolean = () => true,
): Promise<void> {
  if (sink.full) await sink.ready();
  let written = goOn() ? sink.write(chunk, byteLengthOf(chunk)) : WRITTEN;
  while (written !== WRITTEN) {
    const result = await written;
    if (!goOn() || sink.accept(result)) return;
    written = sink.writeRest();
  }
}
