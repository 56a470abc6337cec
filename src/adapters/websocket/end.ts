// The end of a WebSocket of any kind, and its public types; for the adapter of WebSockets alone.

import { bytesOf } from "../../check/bytes.ts";
import type { Message } from "../../ends.ts";
import { show } from "../../check/show.ts";
import { ReusablePromise } from "../../core/reusable_promise.ts";
import { type Bytes, EventEnd } from "../events/event_end.ts";
import { WebSocketCloseError, type WebSocketEventLike, type WebSocketLike } from "./like.ts";
import type { Pings } from "./pings.ts";

/** Bytes that may wait to be sent; no more is sent before half of them have gone. */
const MOST_UNSENT = 1024 * 1024;
const LARGEST_READ = 1024 * 1024;
const LONGEST_WAIT_MS = 32;
/** So many in a row, while closing, the peer may take nothing: for 32 s. */
const MOST_WAITS = 1000;

const encoder = new TextEncoder();

/** How a WebSocket was closed. */
export interface Farewell {
  readonly code: number;
  readonly reason?: string;
}

/** An end over a WebSocket, of bytes or of messages. */
export abstract class SocketEnd<C extends Message> extends EventEnd<C> {
  override readonly halfClose = false;
  override readonly consumesOnWrite: boolean;
  /** Rejects once what waits unread has been given up; a pump that is stuck in a write asks for nothing. */
  readonly lost = new ReusablePromise<never>().begin();
  maxBuffered = 16 * 1024 * 1024;
  pings?: Pings;
  /** How its peer has closed it, if that is no failure. */
  farewell?: Farewell;
  protected readonly socket: WebSocketLike;
  #opened = false;
  #closing = false;
  /** Cut off before it was open. */
  #cut?: { readonly reason: unknown };
  /** The platform has been told to stop its peer, and what came nonetheless. */
  #stopped = false;
  #late = 0;
  #cause?: ErrorOptions;
  #timer?: ReturnType<typeof setTimeout>;
  #unsent = 0;
  #waits = 0;

  constructor(socket: WebSocketLike, copies: boolean) {
    super(false);
    this.socket = socket;
    this.#opened = this.open;
    this.consumesOnWrite = copies;
    // What a Bun server's gives then needs no wrapping.
    socket.binaryType = socket.getBufferedAmount ? "uint8array" : "arraybuffer";
    this.#listen("addEventListener");
    try {
      socket.accept?.();
    } catch {
      // A Worker's own client has it, and refuses it.
    }
  }

  /** What a message of the platform's is; `undefined` if it is none. */
  protected abstract chunkOf(data: unknown): C | undefined;
  /** Why it is not taken, if that is so. */
  protected objection?(chunk: C): Error | undefined;
  /** Closes it, once everything has been sent. */
  protected abstract closeClean(): void;

  handleEvent({ type, data, error, code, reason, wasClean }: WebSocketEventLike): void {
    if (error) this.#cause = { cause: error };
    if (type === "message") {
      this.onMessage(data);
    } else if (type === "pong") {
      this.pings?.heard();
    } else if (type === "close" || type === "error" && !this.#opened) {
      // Node 22 tells no more than an error when it could not connect.
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.pings?.stop();
      // Nobody may have looked since the last of it was sent.
      if (this.amount <= MOST_UNSENT / 2) this.drained();
      if (code === 1000 || code === 1001 || code === 1005 && wasClean) {
        this.farewell = { code, reason };
        if (this.#closing) this.finished();
        this.ended();
      } else {
        // Deno gives no code after an error.
        const closed = new WebSocketCloseError(code || 1006, reason, this.#cause);
        if (!this.#opened) closed.message = "The WebSocket could not be opened";
        this.failed(closed);
      }
      this.#listen("removeEventListener");
    } else if (type !== "error") {
      this.#opened = true;
      if (this.#cut) this.cutOff(this.#cut.reason);
      else this.#look();
    }
  }

  onMessage(data: unknown): void {
    this.pings?.heard();
    const chunk = this.chunkOf(data);
    if (chunk === undefined) {
      return this.giveUp(new TypeError(`Not of binaryType "arraybuffer": got ${show(data)}`));
    }
    const objection = this.objection?.(chunk);
    if (objection) return this.giveUp(objection);
    const weight = this.weigh(chunk);
    if (this.#stopped) this.#late += weight;
    // Of bytes, any number of empty ones would fit.
    if (weight > 0) this.received(chunk);
    // One that a platform had begun when it was stopped, of whatever size, is not its peer's fault.
    if ((this.#stopped ? this.#late : this.unread) > this.maxBuffered) {
      this.giveUp(
        new RangeError(`More than ${this.maxBuffered} bytes wait unread ('maxBuffered')`),
      );
    }
  }

  giveUp(error: Error): void {
    // First, as an abort looks like a failed write to a pump that reads nothing.
    this.lost.reject(error);
    this.abort(error);
  }

  /** Whether pongs can be heard. */
  get hears(): boolean {
    return this.open && !this.#stopped;
  }

  protected get open(): boolean {
    return this.socket.readyState === 1;
  }

  get amount(): number {
    return this.socket.bufferedAmount ?? this.socket.getBufferedAmount?.() ?? 0;
  }

  /** Goes on once enough has been sent, or everything, before closing. */
  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const before = this.#unsent;
    this.#unsent = this.amount;
    if (this.#unsent < before) this.#waits = 0;
    if (!this.open) return;
    if (this.#unsent > (this.#closing ? 0 : MOST_UNSENT / 2)) this.#lookLater();
    else if (this.#closing) this.closeClean();
    else this.drained();
  }

  /** No platform but Bun's server tells when something has been sent. */
  #lookLater(): void {
    if (this.#closing && this.#waits > MOST_WAITS) return this.reset();
    this.#timer = setTimeout(() => this.#look(), Math.min(++this.#waits, LONGEST_WAIT_MS));
  }

  protected override get congested(): boolean {
    return this.#timer !== undefined;
  }

  /** Sends a message: whether that was possible. */
  protected sendNow(message: C): boolean {
    if (!this.open) return false;
    // Only a Bun server's tells: by 0 that it did not send it (or that it was empty), above 0 that there is
    // room for more.
    const sent = this.socket.send(message as Bytes) as number;
    const refused = sent === 0 && message.length > 0;
    if (refused || !(sent > 0) && this.amount > MOST_UNSENT) {
      this.#unsent = this.amount;
      this.#lookLater();
    }
    return !refused;
  }

  protected override finish(): void {
    this.#closing = true;
    this.#waits = 0;
    // The answer to a close comes after what its peer has sent.
    this.resume();
    this.#look();
  }

  protected override shut(): void {
    this.pings?.stop();
    if (this.open) return this.finish();
    // As of one that is cut off.
    this.#closing = true;
    this.closeClean();
  }

  /** Nobody can write any more either. */
  protected override eof(): void {
    this.failed(new WebSocketCloseError(1000));
  }

  protected override reset(reason?: unknown): void {
    clearTimeout(this.#timer);
    this.resume();
    this.pings?.stop();
    // Of Deno's server it opens nonetheless, and its peer is not told (2.9).
    if (this.socket.readyState === 0) this.#cut = { reason };
    this.cutOff(reason);
  }

  /** Closes it after a failure. */
  protected abstract cutOff(reason: unknown): void;

  protected override get highWaterBytes(): number {
    return Math.min(super.highWaterBytes, this.maxBuffered);
  }

  protected override pause(): void {
    if (this.#closing || !this.socket.pause) return;
    this.socket.pause();
    this.#stopped = true;
  }

  protected override resume(): void {
    this.socket.resume?.();
    this.#stopped = false;
    this.#late = 0;
    if (this.open && !this.#closing) this.pings?.start();
  }

  /** Somebody else may have it next, or nobody. */
  protected override released(): void {
    this.pings?.stop();
  }

  /** From the constructor on, so that an early failure is not uncaught, to its last word. */
  #listen(verb: "addEventListener" | "removeEventListener"): void {
    for (const type of EVENTS) this.socket[verb]?.(type, this);
  }
}

const EVENTS = ["open", "message", "error", "close"];

/** One of bytes: messages are nothing but how they travel. */
export class WebSocketEnd extends SocketEnd<Bytes> {
  maxFrame = 64 * 1024;

  protected override chunkOf(data: unknown): Bytes | undefined {
    return typeof data === "string" ? encoder.encode(data) : bytesOf(data);
  }

  /** Reads what waits as one where its peer cannot be stopped: Deno's TCP is slower by the chunk. */
  override pull(): Bytes | null | ReusablePromise<Bytes | null> {
    const first = super.pull();
    if (this.socket.pause || this.unread === 0) return first;
    const chunks = [first as Bytes];
    let size = chunks[0].length;
    while (this.unread > 0 && size < LARGEST_READ) {
      const chunk = super.pull() as Bytes;
      chunks.push(chunk);
      size += chunk.length;
    }
    const whole = new Uint8Array(size);
    for (const chunk of chunks.reverse()) whole.set(chunk, size -= chunk.length);
    return whole;
  }

  protected override send(bytes: Bytes): number {
    const frame = bytes.length > this.maxFrame ? bytes.subarray(0, this.maxFrame) : bytes;
    return this.sendNow(frame) ? frame.length : 0;
  }

  protected override closeClean(): void {
    this.socket.close(1000);
  }

  protected override cutOff(reason: unknown): void {
    // A WebSocketStream's own error says `closeCode`.
    const { code, closeCode = code, reason: text } = Object(reason);
    if (closeCode >= 3000 && closeCode < 5000) this.socket.close(closeCode, text);
    else if (this.socket.terminate) this.socket.terminate();
    else this.socket.close(4000);
  }
}
