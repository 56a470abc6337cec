// The bridge from a platform that calls back to a pump that asks, and to streams; for adapters alone.

import { BYPASS } from "../../check/marks.ts";
import { type Bypass, type BypassUser, TAKEN } from "../../core/bypass.ts";
import type { Meter } from "../../core/meter.ts";
import { ReusablePromise } from "../../core/reusable_promise.ts";
import { type TellingSink, writableOver } from "../../core/streams.ts";
import { WriterSink } from "../../core/writer_sink.ts";
import type { Message, Pair } from "../../ends.ts";
import { afterMicrotasks } from "./after_microtasks.ts";
import type { Failed, Reading, Writing } from "./half_states.ts";
import { PlatformVerbs } from "./platform_verbs.ts";
import { UnreadQueue } from "./unread_queue.ts";

/** The chunks of all adapters but the one of WebSocket messages. */
export type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The bridge from a platform that calls back to a pump that asks: an end with a queue of chunks to read, one
 * pending write, backpressure both ways, and a first failure that ends both halves.
 *
 * An adapter extends it by {@linkcode PlatformVerbs}, and passes the platform's events on by the methods that
 * begin with `on`: `data`, `end`, `drain`, `finish` and `error` mean what they mean of a stream of Node's. The
 * streams are made when somebody asks for one, and take the place of the {@linkcode Bypass} then.
 *
 * Bridge and adapter are one object by inheritance, not two: an idle join must weigh little.
 *
 * @typeParam C The chunks, both ways.
 */
export abstract class EventEnd<C extends Message = Bytes> extends PlatformVerbs<C>
  implements Omit<Pair<C, C>, "messages">, Bypass<C> {
  readonly halfClose: boolean = true;
  abstract readonly consumesOnWrite: boolean;
  #reading: Reading = "open";
  #writing: Writing = "open";
  /** The failure that has ended both halves, if any; later ones are dropped. One of writing alone is in `#writing`. */
  #failure?: Failed;
  /** Whether `disconnect` or `reset` has been called: at most one of them is, and once. */
  #isClosed = false;
  /** Whether the platform has been told to deliver nothing. */
  #isPaused: boolean;
  readonly #unread = new UnreadQueue<C>();
  /** The pending read. None is pending while a chunk waits unread. */
  readonly #read = new ReusablePromise<C | null>();
  /** The pending write, or the pending end of writing, which comes after the last write. */
  readonly #written = new ReusablePromise<number>();
  /** The chunk of the pending write. */
  #unwritten?: C;
  /** Bytes of the last write that the platform has taken. */
  #taken = 0;
  #user?: BypassUser;
  #readable?: ReadableStream<C>;
  #writable?: WritableStream<C>;
  #controller?: WritableStreamDefaultController;
  /** The locks of the streams as long as the bypass is used. */
  #locks?: { releaseLock(): void }[];

  /** @param isPaused Whether the platform delivers nothing until `resume` is called. */
  constructor(isPaused = true) {
    super();
    this.#isPaused = isPaused;
  }

  // The events of the platform: called by the adapter alone.

  /** A chunk has come. */
  onData(chunk: C): void {
    const isUnwanted = this.#reading === "unwanted" || this.#reading === "over";
    if (isUnwanted || this.#read.fulfil(chunk)) return;
    this.#unread.push(chunk, this.weigh(chunk));
    // Even if it is paused: Node resumes a TLS socket by itself when the handshake is done.
    if (this.unreadBytes >= this.highWaterBytes) {
      this.#isPaused = true;
      this.pause();
    }
  }

  /** The peer has ended its writing: no chunk comes any more. */
  onEnd(): void {
    if (this.#reading === "open") this.#reading = "ended";
    else if (this.#reading === "unwanted") this.#reading = "over";
    this.#read.fulfil(null);
    this.#noticeEof();
    this.#disconnectIfEnded();
  }

  /** The platform takes more bytes. */
  onDrain(): void {
    const chunk = this.#unwritten;
    if (chunk === undefined) return;
    try {
      this.#taken ||= this.send(chunk);
    } catch (error) {
      // `send` may have called `onWriteError` before it threw: then the reading half goes on.
      if (!this.#writeFailure) this.onError(error, "write");
      return;
    }
    if (this.#taken === 0 || this.isCongested) return;
    this.#unwritten = undefined;
    this.#written.fulfil(this.#taken);
  }

  /** Our end of writing has been sent. */
  onFinish(): void {
    if (this.#writing === "open") this.#writing = "ended";
    this.#written.fulfil(this.#taken);
    this.#disconnectIfEnded();
  }

  /** Both directions have failed, first that of `side`: what came before can still be read. */
  onError(error: unknown, side: "read" | "write" = "read"): void {
    if (this.#failure || this.#hasPeerEnded && this.#writing !== "open") return;
    this.#failure = { error };
    this.#unwritten = undefined;
    // A join reports the half that is told first.
    if (side === "write") {
      this.#failWrite(error);
      return void afterMicrotasks(() => this.#read.reject(error));
    }
    this.#read.reject(error);
    if (this.#controller) void afterMicrotasks(() => this.#failWrite(error));
    else this.#failWrite(error);
  }

  /** Nothing can be written any more. What the peer has sent is still delivered, and then its end or failure. */
  onWriteError(error: unknown): void {
    if (this.#writeFailure) return;
    if (!this.#user && !this.#readable?.locked) {
      // Nobody reads, so that nobody would notice the peer's end: the platform's object would stay open.
      this.onError(error, "write");
      return void this.#closeOnce();
    }
    this.#writing = { error };
    this.#unwritten = undefined;
    this.#failWrite(error);
    this.#disconnectIfEnded();
  }

  // What a pump uses: see `Bypass`.

  get [BYPASS](): Bypass<C> | undefined {
    return this.#readable || this.#writable ? undefined : this;
  }

  get [TAKEN](): number {
    return this.#taken;
  }

  get user(): BypassUser | undefined {
    return this.#user;
  }

  attach(user: BypassUser): void {
    this.#user = user;
  }

  detach(): void {
    this.#user = undefined;
    if (!this.#isClosed) {
      if (!this.#isPaused) this.pause();
      this.#isPaused = true;
      this.handBack?.();
    }
    for (const lock of this.#locks?.splice(0) ?? []) lock.releaseLock();
  }

  /** Bytes that wait to be read. */
  get unreadBytes(): number {
    return this.#unread.bytes;
  }

  pull(): C | null | ReusablePromise<C | null> {
    if (this.#isPaused && this.unreadBytes < this.highWaterBytes / 2) {
      this.#isPaused = false;
      this.resume();
    }
    const chunk = this.#unread.shift();
    if (chunk !== undefined) {
      this.#unread.subtract(this.weigh(chunk));
      return chunk;
    }
    if (this.#reading === "ended") return null;
    this.#assertUsable(this.#reading === "open", this.#failure);
    return this.#read.begin();
  }

  cancelPull(): void {
    this.#read.giveUp();
  }

  write(chunk: C): number | ReusablePromise<number> {
    this.#taken = 0;
    this.#assertUsable(this.#writing === "open" && !this.#isClosed, this.#writeFailure);
    this.#taken = this.send(chunk);
    if (this.#taken > 0 && !this.isCongested) return this.#taken;
    this.#unwritten = chunk;
    return this.#written.begin();
  }

  closeWrite(): unknown {
    this.#assertUsable(true, this.#writeFailure);
    if (this.#writing !== "open" || this.#hasPeerEnded && !this.halfClose) return;
    const finished = this.#written.begin();
    this.endWriting();
    return finished;
  }

  abort(reason: unknown): void | Promise<void> {
    this.#discardUnread();
    this.onError(reason);
    return this.#closeOnce(() => this.reset(reason));
  }

  close(reason?: unknown): void | Promise<void> {
    if (reason !== undefined) return this.abort(reason);
    this.#discardUnread();
    this.#closeOnce();
    this.onEnd();
  }

  // What everybody else uses: see `Pair`.

  get readable(): ReadableStream<C> {
    if (!this.#readable) {
      this.#readable = new ReadableStream({
        pull: async (controller) => {
          const chunk = await this.pull();
          if (chunk !== null) return controller.enqueue(chunk);
          controller.close();
          this.onEofRead?.();
        },
        // Without a pause the peer's end is delivered, and so the platform's object is closed.
        cancel: () => {
          this.#discardUnread();
          this.#noticeEof();
          this.resume();
        },
      }, { highWaterMark: 0 });
      if (this.#user) (this.#locks ??= []).push(this.#readable.getReader());
    }
    return this.#readable;
  }

  get writable(): WritableStream<C> {
    if (!this.#writable) {
      this.#writable = writableOver((meter) => this.sinkOfStream(meter), (controller) => {
        this.#controller = controller;
        if (this.#writeFailure) controller.error(this.#writeFailure.error);
      });
      if (this.#user) (this.#locks ??= []).push(this.#writable.getWriter());
      this.#noticeEof();
    }
    return this.#writable;
  }

  /** What {@linkcode EventEnd.writable} writes to. */
  protected sinkOfStream(meter: Meter): TellingSink {
    return new WriterSink(this, meter);
  }

  get #hasPeerEnded(): boolean {
    return this.#reading === "ended" || this.#reading === "over";
  }

  /** Why nothing can be written, if something has failed. */
  get #writeFailure(): Failed | undefined {
    return this.#failure ?? (typeof this.#writing === "object" ? this.#writing : undefined);
  }

  #discardUnread(): void {
    this.#reading = this.#hasPeerEnded ? "over" : "unwanted";
    this.#unread.clear();
  }

  /** Looks whether an end of file has come that nobody reads. */
  #noticeEof(): void {
    const hasNoReader = this.#writable && !this.#readable && !this.#user;
    if (this.#reading === "over" || this.#reading === "ended" && hasNoReader) this.onEofRead?.();
  }

  #failWrite(error: unknown): void {
    if (!this.#written.reject(error)) this.#user?.onFailure(error);
    this.#controller?.error(error);
  }

  /** An end whose halves have both ended, or failed, is of no use to anybody. */
  #disconnectIfEnded(): void {
    if (this.#hasPeerEnded && this.#writing !== "open") this.#closeOnce();
  }

  /** Disconnects, or does `close` instead. Only the first call does anything. */
  #closeOnce(close = (): void | Promise<void> => this.disconnect()): void | Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    return close();
  }

  #assertUsable(isOpen: boolean, failed: Failed | undefined): void {
    if (failed) throw failed.error;
    if (!isOpen) throw new Error("The end has been closed");
  }
}
