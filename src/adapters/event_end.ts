import { bytesOf } from "../bytes.ts";
import { DIRECT, type Direct, Wait } from "../direct.ts";
import type { Pair } from "../ends.ts";
import { show } from "../errors.ts";

/** The bytes of every adapter. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** What few ends are asked for. */
interface Streams {
  readable?: ReadableStream<Bytes>;
  writable?: WritableStream<Bytes>;
  /** What locks the halves that the pump has. */
  reader?: ReadableStreamDefaultReader;
  writer?: WritableStreamDefaultWriter;
  errorWritable?: (error: unknown) => void;
}

/** Bytes that may wait unread before the platform is paused. */
const HIGH_WATER_BYTES = 256 * 1024;

/**
 * The bridge from a platform that calls back to the pump, which asks: an end with two queues of one
 * direction each, backpressure both ways, and a first failure that ends both of them.
 *
 * A platform supplies the verbs below, and tells what happens by the protected methods in the past
 * tense. It is a pair of streams as well, made when somebody asks for one; the pump then takes those.
 */
export abstract class EventEnd implements Pair, Direct {
  readonly halfClose: boolean = true;
  readonly consumesOnWrite: boolean = true;
  #streams?: Streams;
  #reading = false;
  #writer: Direct["writer"];
  #attached = false;
  #queue?: Bytes[];
  #queuedBytes = 0;
  #paused: boolean;
  /** Nobody wants what still comes. */
  #deaf = false;
  #ended = false;
  #finished = false;
  #closed = false;
  #failure?: { readonly error: unknown };
  readonly #read = new Wait<Bytes | null>();
  #isReading = false;
  readonly #written = new Wait<number>();
  #unwritten?: Bytes;
  #taken = 0;
  #finish?: { resolve(): void; reject(error: unknown): void };

  /** @param paused Whether the platform delivers nothing yet. */
  constructor(paused = true) {
    this.#paused = paused;
  }

  /** Hands bytes over: how many were taken; 0 means to wait for {@linkcode EventEnd.drained}. */
  protected abstract send(bytes: Bytes): number;
  /** Ends the writing, and tells by {@linkcode EventEnd.finished}. */
  protected abstract finish(): void;
  /** Closes both directions; all that was sent still reaches the peer. */
  protected abstract shut(): void;
  /** Closes both directions so that the peer sees a failure. */
  protected abstract reset(reason: unknown): void;
  /** Stops and resumes the delivery of what the peer sends. */
  protected abstract pause(): void;
  protected abstract resume(): void;
  /** Adds and removes listeners. */
  protected abstract attach(): void;
  protected abstract detach(): void;

  /** Whether no more should be sent before {@linkcode EventEnd.drained}. */
  protected get congested(): boolean {
    return false;
  }

  /** From the constructor on, so that an early failure is not uncaught, to the platform's last word. */
  protected listen(): void {
    if (!this.#attached) this.attach();
    this.#attached = true;
  }

  protected unlisten(): void {
    if (this.#attached) this.detach();
    this.#attached = false;
  }

  /** Bytes that wait to be read. */
  get unread(): number {
    return this.#queuedBytes;
  }

  /** The end of file has been read from the stream, or only the writable one is in use. */
  protected eof(): void {}

  protected received(chunk: Bytes): void {
    if (this.#deaf) return;
    if (this.#isReading) {
      this.#isReading = false;
      return this.#read.fulfil(chunk);
    }
    (this.#queue ??= []).push(chunk);
    this.#queuedBytes += chunk.length;
    if (!this.#paused && this.#queuedBytes >= HIGH_WATER_BYTES) {
      this.#paused = true;
      this.pause();
    }
  }

  /** The peer sends no more. */
  protected ended(): void {
    this.#ended = true;
    if (this.#isReading) {
      this.#isReading = false;
      this.#read.fulfil(null);
    }
    this.#eofIfUnread();
    this.#closeIfOver();
  }

  /** There is room again. */
  protected drained(): void {
    const bytes = this.#unwritten;
    if (!bytes) return;
    try {
      this.#taken ||= this.send(bytes);
    } catch (error) {
      return this.failed(error);
    }
    if (this.#taken === 0 || this.congested) return;
    this.#unwritten = undefined;
    this.#written.fulfil(this.#taken);
  }

  /** Our writing has ended. */
  protected finished(): void {
    this.#finished = true;
    this.#finish?.resolve();
    this.#closeIfOver();
  }

  /** Both directions are over; what was received before can still be read. */
  protected failed(error: unknown): void {
    if (this.#failure || this.#ended && this.#finished) return;
    this.#failure = { error };
    const reading = this.#isReading;
    const writing = this.#unwritten;
    this.#isReading = false;
    this.#unwritten = undefined;
    if (reading) this.#read.reject(error);
    if (writing) this.#written.reject(error);
    else this.#writer?.watcher?.closedEarly(error);
    this.#finish?.reject(error);
    this.#streams?.errorWritable?.(error);
  }

  get [DIRECT](): Direct | undefined {
    return this.#streams ? undefined : this;
  }

  get reading(): boolean {
    return this.#reading;
  }

  set reading(reading: boolean) {
    this.#reading = reading;
    this.#listenIfUsed();
    if (!reading) this.#streams?.reader?.releaseLock();
  }

  get writer(): Direct["writer"] {
    return this.#writer;
  }

  set writer(writer: Direct["writer"]) {
    this.#writer = writer;
    this.#listenIfUsed();
    if (!writer) this.#streams?.writer?.releaseLock();
  }

  pull(): Bytes | null | Wait<Bytes | null> {
    if (
      this.#paused && !this.#ended && !this.#failure && this.#queuedBytes < HIGH_WATER_BYTES / 2
    ) {
      this.#paused = false;
      this.resume();
    }
    const chunk = this.#queue?.shift();
    if (chunk) {
      this.#queuedBytes -= chunk.length;
      return chunk;
    }
    if (this.#ended && !this.#deaf) return null;
    if (this.#failure) throw this.#failure.error;
    if (this.#deaf) throw new Error("The end has been closed");
    this.#isReading = true;
    return this.#read;
  }

  take(result: unknown): Bytes | null {
    return result as Bytes | null;
  }

  write(bytes: Bytes): number | Wait<number> {
    if (this.#failure) throw this.#failure.error;
    if (this.#finished || this.#closed) throw new Error("It has been closed, and takes no more");
    const taken = this.send(bytes);
    if (taken > 0 && !this.congested) return taken;
    this.#unwritten = bytes;
    this.#taken = taken;
    return this.#written;
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure.error);
      if (this.#finished) return resolve();
      this.#finish = { resolve, reject };
      this.finish();
    });
  }

  abort(reason: unknown): void {
    this.#deaf = true;
    this.#queue = undefined;
    this.failed(reason);
    this.#shutOnce(() => this.reset(reason));
  }

  close(reason?: unknown): void {
    if (reason !== undefined) return this.abort(reason);
    this.#deaf = true;
    this.#shutOnce(() => this.shut());
    this.ended();
  }

  get readable(): ReadableStream<Bytes> {
    const streams = this.#streams ??= {};
    if (!streams.readable) {
      streams.readable = new ReadableStream({
        pull: async (controller) => {
          const chunk = await this.pull();
          if (chunk) return controller.enqueue(chunk);
          controller.close();
          this.eof();
        },
        cancel: () => this.#cancel(),
      }, { highWaterMark: 0 });
      if (this.#reading) streams.reader = streams.readable.getReader();
    }
    return streams.readable;
  }

  get writable(): WritableStream<Bytes> {
    const streams = this.#streams ??= {};
    if (!streams.writable) {
      streams.writable = new WritableStream({
        start: (controller) => {
          streams.errorWritable = (error) => controller.error(error);
          if (this.#failure) controller.error(this.#failure.error);
        },
        write: (chunk) => this.#writeWhole(chunk),
        close: () => this.closeWrite(),
        abort: (reason) => this.abort(reason),
      });
      if (this.#writer) streams.writer = streams.writable.getWriter();
      this.#eofIfUnread();
    }
    return streams.writable;
  }

  async #writeWhole(chunk: unknown): Promise<void> {
    let rest = bytesOf(chunk);
    if (!rest) {
      throw new TypeError(`Only an ArrayBuffer or a view can be written: got ${show(chunk)}`);
    }
    while (rest.length > 0) rest = rest.subarray(await this.write(rest));
  }

  /** Reads on, and drops it, so that the end of it is noticed. */
  #cancel(): void {
    this.#deaf = true;
    this.#queue = undefined;
    this.#paused = false;
    this.resume();
  }

  #eofIfUnread(): void {
    const { readable, writable } = this.#streams ?? {};
    const unread = this.#deaf || writable && !readable && !this.reading;
    if (this.#ended && unread) this.eof();
  }

  /** A closed one tells by itself when nothing more is to be heard. */
  #listenIfUsed(): void {
    if (this.#closed) return;
    if (this.#reading || this.#writer) this.listen();
    else this.unlisten();
  }

  #closeIfOver(): void {
    if (this.#ended && this.#finished) this.#shutOnce(() => this.shut());
  }

  #shutOnce(shut: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    shut();
  }
}
