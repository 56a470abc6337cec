// The end of a WebSocket of any kind, and its public types; for the adapter of WebSockets alone.

import { bytesOf } from "../bytes.ts";
import { show } from "../errors.ts";
import { Wait } from "../direct.ts";
import { type Bytes, EventEnd } from "./event_end.ts";

/** What {@linkcode fromWebSocket} takes: the part of a WebSocket that it uses. */
export interface WebSocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** As what binary messages come; set to `"arraybuffer"` here. */
  binaryType?: string;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount?: number;
  /** The same of a Bun server's. */
  getBufferedAmount?(): number;
  /** Sends a message; a Bun server's gives 0 if it did not, and -1 if it must wait. */
  send(message: Uint8Array<ArrayBuffer>): unknown;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Adds a listener; a Bun server's has handlers instead. */
  addEventListener?(type: string, listener: WebSocketListener): void;
  /** Removes a listener. */
  removeEventListener?(type: string, listener: WebSocketListener): void;
  /** Cuts it off: Bun's and those of `ws` have this. */
  terminate?(): void;
  /** Stops the delivery of messages: Bun's and those of `ws` have this. */
  pause?(): unknown;
  /** Resumes it. */
  resume?(): unknown;
  /** Starts the delivery of messages: a Worker's own have this. */
  accept?(): void;
}

/** What hears the events of a {@linkcode WebSocketLike}. */
export interface WebSocketListener {
  /** Takes an event. */
  handleEvent(event: never): void;
}

/** What the events of WebSockets have, each something of it. */
export interface WebSocketEventLike {
  readonly type: string;
  readonly data?: unknown;
  readonly error?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
}

/**
 * A WebSocket that was closed with a code other than 1000, 1001 or none, was cut off, or could not be
 * opened (1006, these two).
 *
 * As the reason of an abort it says what the peer is told: a `code` of 3000 to 4999, and the `reason`.
 * So a join of two WebSockets passes these on, as it tears one down with the error of the other.
 */
export class WebSocketCloseError extends Error {
  /** The code that it was closed with. */
  declare readonly code: number;
  /** The reason that came with the code; often empty. */
  declare readonly reason: string;

  /**
   * Creates the error.
   *
   * @param code The code that it was closed with, or is to be.
   * @param reason The reason to go with it: at most 123 bytes of UTF-8.
   * @param options The error's own `cause`.
   */
  constructor(code: number, reason?: string, options?: ErrorOptions) {
    super(`The WebSocket was closed with code ${code}${reason ? `: ${reason}` : ""}`, options);
    Object.assign(this, { name: "WebSocketCloseError", code, reason: reason ?? "" });
  }
}

/** Bytes that may wait to be sent; no more is sent before half of them have gone. */
const MOST_UNSENT = 1024 * 1024;
const LARGEST_READ = 1024 * 1024;
const LONGEST_WAIT_MS = 32;
/** So many in a row, while closing, the peer may take nothing: for 32 s. */
const MOST_WAITS = 1000;

const encoder = new TextEncoder();

/** An end over a WebSocket. */
export class WebSocketEnd extends EventEnd {
  override readonly halfClose = false;
  override readonly consumesOnWrite: boolean;
  /** Rejects once what waits unread has been given up; a pump that is stuck in a write asks for nothing. */
  readonly lost = new Wait<never>().begin();
  maxBuffered = 16 * 1024 * 1024;
  maxFrame = 64 * 1024;
  readonly #socket: WebSocketLike;
  #opened = false;
  #closing = false;
  /** The platform has been told to stop its peer, and what came nonetheless. */
  #stopped = false;
  #late = 0;
  #cause?: ErrorOptions;
  #timer?: ReturnType<typeof setTimeout>;
  #unsent = 0;
  #waits = 0;

  constructor(socket: WebSocketLike, copies: boolean) {
    super(false);
    this.#socket = socket;
    this.#opened = this.#open;
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

  handleEvent({ type, data, error, code, reason, wasClean }: WebSocketEventLike): void {
    if (error) this.#cause = { cause: error };
    if (type === "message") {
      this.onMessage(data);
    } else if (type === "close" || type === "error" && !this.#opened) {
      // Node 22 tells no more than an error when it could not connect.
      clearTimeout(this.#timer);
      this.#timer = undefined;
      // Nobody may have looked since the last of it was sent.
      if (this.#amount <= MOST_UNSENT / 2) this.drained();
      if (code === 1000 || code === 1001 || code === 1005 && wasClean) {
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
      this.#look();
    }
  }

  onMessage(data: unknown): void {
    const bytes = typeof data === "string" ? encoder.encode(data) : bytesOf(data);
    if (!bytes) {
      return this.#giveUp(new TypeError(`Not of binaryType "arraybuffer": got ${show(data)}`));
    }
    if (this.#stopped) this.#late += bytes.length;
    // Any number of empty ones would fit.
    if (bytes.length > 0) this.received(bytes);
    // One that a platform had begun when it was stopped, of whatever size, is not its peer's fault.
    if ((this.#stopped ? this.#late : this.unread) > this.maxBuffered) {
      this.#giveUp(
        new RangeError(`More than ${this.maxBuffered} bytes wait unread ('maxBuffered')`),
      );
    }
  }

  #giveUp(error: Error): void {
    // First, as an abort looks like a failed write to a pump that reads nothing.
    this.lost.reject(error);
    this.abort(error);
  }

  get #open(): boolean {
    return this.#socket.readyState === 1;
  }

  get #amount(): number {
    return this.#socket.bufferedAmount ?? this.#socket.getBufferedAmount?.() ?? 0;
  }

  /** Goes on once enough has been sent, or everything, before closing. */
  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const before = this.#unsent;
    this.#unsent = this.#amount;
    if (this.#unsent < before) this.#waits = 0;
    if (!this.#open) return;
    if (this.#unsent > (this.#closing ? 0 : MOST_UNSENT / 2)) this.#lookLater();
    else if (this.#closing) this.#socket.close(1000);
    else this.drained();
  }

  /** No platform but Bun's server tells when something has been sent. */
  #lookLater(): void {
    if (this.#closing && this.#waits > MOST_WAITS) return this.reset();
    this.#timer = setTimeout(() => this.#look(), Math.min(++this.#waits, LONGEST_WAIT_MS));
  }

  /** Reads what waits as one where its peer cannot be stopped: Deno's TCP is slower by the chunk. */
  override pull(): Bytes | null | Wait<Bytes | null> {
    const first = super.pull();
    if (this.#socket.pause || this.unread === 0) return first;
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

  protected override get congested(): boolean {
    return this.#timer !== undefined;
  }

  protected override send(bytes: Bytes): number {
    if (!this.#open) return 0;
    const frame = bytes.length > this.maxFrame ? bytes.subarray(0, this.maxFrame) : bytes;
    // Only a Bun server's tells: by 0 that it did not send it, above 0 that there is room for more.
    const sent = this.#socket.send(frame) as number;
    if (sent === 0 || !(sent > 0) && this.#amount > MOST_UNSENT) this.#lookLater();
    return sent === 0 ? 0 : frame.length;
  }

  protected override finish(): void {
    this.#closing = true;
    this.#waits = 0;
    // The answer to a close comes after what its peer has sent.
    this.resume();
    this.#look();
  }

  protected override shut(): void {
    if (this.#open) this.finish();
    else this.#socket.close(1000);
  }

  /** Nobody can write any more either. */
  protected override eof(): void {
    this.failed(new WebSocketCloseError(1000));
  }

  protected override reset(reason?: unknown): void {
    clearTimeout(this.#timer);
    this.resume();
    // A WebSocketStream's own error says `closeCode`.
    const { code, closeCode = code, reason: text } = Object(reason);
    if (closeCode >= 3000 && closeCode < 5000) this.#socket.close(closeCode, text);
    else if (this.#socket.terminate) this.#socket.terminate();
    else this.#socket.close(4000);
  }

  protected override get highWaterBytes(): number {
    return Math.min(super.highWaterBytes, this.maxBuffered);
  }

  protected override pause(): void {
    if (this.#closing || !this.#socket.pause) return;
    this.#socket.pause();
    this.#stopped = true;
  }

  protected override resume(): void {
    this.#socket.resume?.();
    this.#stopped = false;
    this.#late = 0;
  }

  /** From the constructor on, so that an early failure is not uncaught, to its last word. */
  #listen(verb: "addEventListener" | "removeEventListener"): void {
    for (const type of EVENTS) this.#socket[verb]?.(type, this);
  }
}

const EVENTS = ["open", "message", "error", "close"];
