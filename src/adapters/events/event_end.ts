// The bridge from a platform's events to the pump and to streams; for adapters alone.

import { BYPASS } from "../../check/marks.ts";
import { type Bypass, type BypassUser, TAKEN } from "../../core/bypass.ts";
import { ReusablePromise } from "../../core/reusable_promise.ts";
import type { Message, Pair } from "../../ends.ts";
import { writableFrom } from "../../core/streams.ts";
import { later } from "./later.ts";
import { fairUnread, UnreadQueue } from "./unread_queue.ts";

/** The bytes of most adapters. */
export type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The bridge from a platform that calls back to the pump, which asks: an end with two queues of one
 * direction each, backpressure both ways, and a first failure that ends both of them.
 *
 * A platform supplies the verbs below, and tells what happens by the protected methods in the past
 * tense. It is a pair of streams as well, made when somebody asks for one; the pump then takes those.
 *
 * @typeParam C Its chunks, both ways.
 */
export abstract class EventEnd<C extends Message = Bytes>
  implements Omit<Pair<C, C>, "messages">, Bypass<C> {
  readonly halfClose: boolean = true;
  abstract readonly consumesOnWrite: boolean;
  // Of the streams, which few ends are asked for.
  #readable?: ReadableStream<C>;
  #writable?: WritableStream<C>;
  /** To tell the writable one of a failure. */
  #controller?: WritableStreamDefaultController;
  /** Of who has the end past them. */
  readonly #locks: { releaseLock(): void }[] = [];
  #user?: BypassUser;
  readonly #queue = new UnreadQueue<C>();
  #paused: boolean;
  /** Nobody wants what still comes. */
  #deaf = false;
  #ended = false;
  #finished = false;
  #closed = false;
  #failure?: { readonly error: unknown };
  #writeFailure?: { readonly error: unknown };
  readonly #read = new ReusablePromise<C | null>();
  /** For a write, or for the end of writing after the last one. */
  readonly #written = new ReusablePromise<number>();
  #unwritten?: C;
  #taken = 0;

  /** @param paused Whether the platform delivers nothing yet. */
  constructor(paused = true) {
    this.#paused = paused;
  }

  /** Hands a chunk over: how much of it was taken; 0 means to wait for {@linkcode EventEnd.drained}. */
  protected abstract send(chunk: C): number;
  /** Ends the writing, and tells by {@linkcode EventEnd.finished}. */
  protected abstract finish(): void;
  /** Closes both directions; all that was sent still reaches the peer. */
  protected abstract shut(): void;
  /** Closes both directions so that the peer sees a failure. */
  protected abstract reset(reason: unknown): void | Promise<void>;
  /** Stops and resumes the delivery of what the peer sends. */
  protected abstract pause(): void;
  protected abstract resume(): void;
  /** Gives the platform's object back to its owner, paused; until the end is used again, if it ever is. */
  protected released?(): void;

  /** Bytes that may wait unread before the platform is paused: the less, the more wait at all ends. */
  protected get highWaterBytes(): number {
    return fairUnread();
  }

  /** Whether no more should be sent before {@linkcode EventEnd.drained}. */
  protected abstract get congested(): boolean;

  /** How many bytes a chunk counts that waits unread. */
  protected weigh(chunk: C): number {
    return chunk.length;
  }

  /** Bytes that wait to be read. */
  get unread(): number {
    return this.#queue.bytes;
  }

  /** The end of file has been read from the stream, or only the writable one is in use. */
  protected eof?(): void;

  protected received(chunk: C): void {
    if (this.#deaf || this.#read.fulfil(chunk)) return;
    this.#queue.push(chunk, this.weigh(chunk));
    // Again, if it has been resumed behind our back: Node reads as soon as TLS is there.
    if (this.unread >= this.highWaterBytes) {
      this.#paused = true;
      this.pause();
    }
  }

  /** The peer sends no more. */
  protected ended(): void {
    this.#ended = true;
    this.#read.fulfil(null);
    this.#eofIfUnread();
    if (this.#finished) this.#shutOnce();
  }

  /** There is room again. */
  protected drained(): void {
    const chunk = this.#unwritten;
    if (chunk === undefined) return;
    try {
      this.#taken ||= this.send(chunk);
    } catch (error) {
      // It may have told already that only its writing is over.
      if (!this.#writeFailure) this.failed(error, "write");
      return;
    }
    if (this.#taken === 0 || this.congested) return;
    this.#unwritten = undefined;
    this.#written.fulfil(this.#taken);
  }

  /** Our writing has ended. */
  protected finished(): void {
    this.#finished = true;
    this.#written.fulfil(this.#taken);
    if (this.#ended) this.#shutOnce();
  }

  /**
   * Both directions are over; what was received before can still be read.
   *
   * @param side The one that has failed: a join reports the first that is told.
   */
  protected failed(error: unknown, side: "read" | "write" = "read"): void {
    if (this.#failure || this.#ended && this.#finished) return;
    this.#failure = { error };
    this.#unwritten = undefined;
    if (side === "read") this.#read.reject(error);
    if (side === "write" || !this.#controller) this.#failWrite(error);
    else void later(() => this.#failWrite(error));
    if (side === "write") void later(() => this.#read.reject(error));
  }

  #failWrite(error: unknown): void {
    if (!this.#written.reject(error)) this.#user?.onFailure(error);
    this.#controller?.error(error);
  }

  get #unwritable(): { readonly error: unknown } | undefined {
    return this.#failure ?? this.#writeFailure;
  }

  /** Nothing can be written any more; what the peer has sent still comes, and whatever ends that. */
  protected writeFailed(error: unknown): void {
    if (this.#failure || this.#writeFailure) return;
    if (!this.#user && !this.#readable?.locked) {
      // Nobody reads: what comes would not be noticed, nor that it stays open.
      this.failed(error, "write");
      return void this.#shutOnce();
    }
    this.#writeFailure = { error };
    this.#finished = true;
    this.#unwritten = undefined;
    this.#failWrite(error);
    if (this.#ended) this.#shutOnce();
  }

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
    if (!this.#closed) {
      if (!this.#paused) this.pause();
      this.#paused = true;
      this.released?.();
    }
    for (const lock of this.#locks.splice(0)) lock.releaseLock();
  }

  pull(): C | null | ReusablePromise<C | null> {
    if (this.#paused && this.unread < this.highWaterBytes / 2) {
      this.#paused = false;
      this.resume();
    }
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queue.takeOff(this.weigh(chunk));
      return chunk;
    }
    if (this.#ended && !this.#deaf) return null;
    this.#assertUsable(this.#deaf);
    return this.#read.begin();
  }

  cancelPull(): void {
    this.#read.giveUp();
  }

  write(chunk: C): number | ReusablePromise<number> {
    this.#taken = 0;
    this.#assertUsable(this.#finished || this.#closed, this.#unwritable);
    this.#taken = this.send(chunk);
    if (this.#taken > 0 && !this.congested) return this.#taken;
    this.#unwritten = chunk;
    return this.#written.begin();
  }

  closeWrite(): unknown {
    this.#assertUsable(false, this.#unwritable);
    if (this.#finished || this.#ended && !this.halfClose) return;
    const finished = this.#written.begin();
    this.finish();
    return finished;
  }

  abort(reason: unknown): void | Promise<void> {
    this.#deafen();
    this.failed(reason);
    return this.#shutOnce(() => this.reset(reason));
  }

  close(reason?: unknown): void | Promise<void> {
    if (reason !== undefined) return this.abort(reason);
    this.#deafen();
    this.#shutOnce();
    this.ended();
  }

  get readable(): ReadableStream<C> {
    if (!this.#readable) {
      this.#readable = new ReadableStream({
        pull: async (controller) => {
          const chunk = await this.pull();
          if (chunk !== null) return controller.enqueue(chunk);
          controller.close();
          this.eof?.();
        },
        // Reads on, and drops it, so that the end of it is noticed.
        cancel: () => {
          this.#deafen();
          this.resume();
        },
      }, { highWaterMark: 0 });
      if (this.#user) this.#locks.push(this.#readable.getReader());
    }
    return this.#readable;
  }

  get writable(): WritableStream<C> {
    if (!this.#writable) {
      this.#writable = this.openWritable((controller) => {
        this.#controller = controller;
        if (this.#unwritable) controller.error(this.#unwritable.error);
      });
      if (this.#user) this.#locks.push(this.#writable.getWriter());
      this.#eofIfUnread();
    }
    return this.#writable;
  }

  protected openWritable(
    start: (controller: WritableStreamDefaultController) => void,
  ): WritableStream<C> {
    return writableFrom(this, start);
  }

  #eofIfUnread(): void {
    const unread = this.#deaf || this.#writable && !this.#readable && !this.#user;
    if (this.#ended && unread) this.eof?.();
  }

  #deafen(): void {
    this.#deaf = true;
    this.#queue.clear();
  }

  /** Throws what has failed it, or else that it has been closed. */
  #assertUsable(closed: boolean, failure = this.#failure): void {
    if (failure) throw failure.error;
    if (closed) throw new Error("The end has been closed");
  }

  #shutOnce(shut: () => void | Promise<void> = () => this.shut()): void | Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    return shut();
  }
}
