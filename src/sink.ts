import { byteLengthOf, bytesToWrite } from "./bytes.ts";
import { type Direct, TAKEN } from "./direct.ts";
import { isWritable, type Writer } from "./ends.ts";
import { assertSize } from "./errors.ts";
import type { Meter } from "./meter.ts";
import { takenFromNow } from "./taken.ts";

/** What {@linkcode Sink.write} returns when there is nothing to await and nothing to accept. */
export const WRITTEN = Symbol("written");

/**
 * Where chunks go. {@linkcode Target.write} starts a write and {@linkcode Target.accept} looks at its
 * result, for the same reason as in a source.
 */
export interface Target {
  /** Whether a chunk's memory may be used again once its write has settled. */
  readonly consumes: boolean;
  /** Whether backpressure forbids to read for it now. */
  readonly full?: boolean;
  /** Whether it can no longer be written to: erroring, errored or closed. */
  readonly over?: boolean;
  /** Whether a write is under way. */
  readonly pending?: boolean;
  /** Fulfils, never rejects, once it is no longer full or never will be. */
  ready?(): Promise<void>;
  /**
   * Starts a write of `chunk`, `size` bytes: {@linkcode WRITTEN}, or the result to accept before the
   * next read, or a promise of it.
   */
  write(chunk: unknown, size: number): unknown;
  /** Takes the result of a write, and writes what that has left: gives the same as `write`. */
  accept(result: unknown): unknown;
}

/** What can be written. */
export interface Sink extends Target {
  /** Follows the stream's state; `undefined` where only a write tells. */
  readonly closed?: Promise<unknown>;
  /** Whether the memory of what it is given is used again: each write is waited for then. */
  lent?: boolean;
  /** Told what neither a write nor `closed` tells. */
  watcher?: SinkWatcher;
  /** The write, or what it gave, has failed. */
  refuse(error: unknown): void;
  /** Ends writing after success. */
  end(): Promise<void>;
  /** Ends writing after a failure. */
  abort(reason: unknown): Promise<void>;
  /** Unlocks a stream that has ended, so that whatever it belongs to can be closed. */
  unlock?(): void;
  /** Unlocks; what settles from here on does not count. */
  release(): void;
}

/** Who writes to a sink. */
export interface SinkWatcher {
  /** It takes nothing more: with an error, or because somebody else is closing it. */
  closedEarly(error?: unknown): void;
  /** A write has settled that was not awaited. */
  writeSettled(): void;
}

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

type Writing = Writer | Direct;

/** A Go-style end, whose writes may be partial. */
export class WriterSink implements Sink {
  lent?: boolean;
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

  /** Bytes of a write that has not settled, or has failed: they may reach the peer nonetheless. */
  get part(): number {
    return this.pending && (this.#writer as Direct)[TAKEN] || 0;
  }

  write(chunk: unknown): unknown {
    const bytes = bytesToWrite(chunk);
    if (bytes.length === 0) {
      this.#meter.add(0, 1);
      return WRITTEN;
    }
    return this.#write(bytes);
  }

  accept(count: unknown): unknown {
    const { length } = this.#rest!;
    this.pending = false;
    if (count === length) {
      this.#meter.add(length, 1);
      // An idle join must not keep its last chunk.
      this.#rest = undefined;
      return WRITTEN;
    }
    assertSize("write", "count", count, 1, length);
    this.#meter.add(count, 0);
    return this.#write(this.#rest!.subarray(count));
  }

  refuse(): void {
    if (this.part > 0) this.#meter.add(this.part, 0);
    this.pending = false;
  }

  async end(): Promise<void> {
    if (this.#writer.closeWrite) await this.#writer.closeWrite();
    else await this.#writer.close?.();
  }

  async abort(reason: unknown): Promise<void> {
    if (this.#writer.abort) await this.#writer.abort(reason);
    else await this.#writer.close?.();
  }

  release(): void {
    this.refuse();
  }

  #write(bytes: Uint8Array<ArrayBuffer>): unknown {
    this.#rest = bytes;
    this.pending = true;
    return this.#writer.write(bytes);
  }
}

/** An adapter's end, past its streams. */
export class DirectSink extends WriterSink {
  readonly #direct: Direct;

  constructor(direct: Direct, meter: Meter) {
    super(direct, meter);
    this.#direct = direct;
    direct.user = this;
  }

  override get consumes(): boolean {
    return this.#direct.consumesOnWrite;
  }

  override release(): void {
    super.release();
    this.#direct.user = undefined;
  }
}

/** Drops what it is given, uncounted. */
export const discard: Target = {
  consumes: true,
  write: () => WRITTEN,
  accept: () => WRITTEN,
};

/** Writes a whole chunk, as long as `goOn` says so. */
export async function writeWhole(
  target: Target,
  chunk: unknown,
  goOn: () => boolean = () => true,
): Promise<void> {
  if (target.full) await target.ready!();
  let written = goOn() ? target.write(chunk, byteLengthOf(chunk)) : WRITTEN;
  while (written !== WRITTEN) {
    const result = await written;
    if (!goOn()) return;
    written = target.accept(result);
  }
}
