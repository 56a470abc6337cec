// The end of a WebSocket, of bytes or of messages; for the WebSocket adapter alone.

import { show } from "../../check/show.ts";
import { ReusablePromise } from "../../core/reusable_promise.ts";
import type { Message } from "../../ends.ts";
import { EventEnd } from "../events/event_end.ts";
import { WebSocketCloseError, type WebSocketEventLike, type WebSocketLike } from "./like.ts";
import { type Pinging, Pings } from "./pings.ts";

/** Bytes that may wait to be sent. Nothing is sent until half of them have gone. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** How long to wait, in milliseconds, until the unsent bytes are looked at again. */
const MAX_WAIT_MS = 32;
/** How many waits in a row the peer may take nothing while the WebSocket is closing: 32 s. */
const MAX_WAITS = 1000;

const EVENTS = ["open", "message", "error", "close"];

/** A WebSocket with the types that the end uses it by; `send` of {@linkcode WebSocketLike} suits every package. */
interface Socket extends Omit<WebSocketLike, "send">, Pinging {
  send(message: Message): unknown;
}

/** How a WebSocket was closed. */
export interface Close {
  readonly code: number;
  readonly reason?: string;
}

/** The options of an end; an option that is `undefined` stays as it is. */
export interface EndSettings {
  readonly maxBuffered?: number;
  /** Bytes of the largest message: that an end of bytes sends, or that an end of messages takes. */
  readonly maxMessage?: number;
  readonly ping?: number;
}

/** An end over a WebSocket. */
export abstract class WebSocketEnd<C extends Message> extends EventEnd<C> {
  override readonly halfClose = false;
  override readonly consumesOnWrite: boolean;
  /** Rejects when bytes that wait unread are given up, which a pump that is stuck in a write would not see. */
  readonly lost = new ReusablePromise<never>().begin();
  protected readonly socket: Socket;
  protected pings?: Pings;
  /** See {@linkcode EndSettings.maxMessage}. */
  protected abstract maxMessage: number;
  #maxBuffered = 16 * 1024 * 1024;
  #peerClose?: Close;
  #wasOpen = false;
  #isClosing = false;
  /** Why the WebSocket is to be cut off once it is open. */
  #cutOffReason?: { readonly reason: unknown };
  /** Whether the platform has been told to pause the peer, and bytes that have come nonetheless. */
  #isPeerPaused = false;
  #bytesWhilePaused = 0;
  /** The last error that the WebSocket has reported. */
  #cause?: ErrorOptions;
  /** Set while too much waits to be sent, and while the last bytes are awaited before the WebSocket is closed. */
  #timer?: ReturnType<typeof setTimeout>;
  /** Bytes that waited to be sent when they were last looked at. */
  #unsentBytes = 0;
  /** Waits in a row in which nothing was sent. */
  #waits = 0;

  /** @param copies Whether `send` copies what it is given. */
  constructor(socket: WebSocketLike & Pinging, copies: boolean) {
    super(false);
    this.socket = socket as Socket;
    this.#wasOpen = this.isOpen;
    this.consumesOnWrite = copies;
    // Bun's server then gives what needs no wrapping.
    socket.binaryType = socket.getBufferedAmount ? "uint8array" : "arraybuffer";
    this.#listen("addEventListener");
    try {
      socket.accept?.();
    } catch {
      // The WebSocket of a Worker's own client has the method and refuses it.
    }
  }

  /** Makes a chunk of what a message of the platform's carries; `undefined` if it is of an unknown type. */
  protected abstract chunkOf(data: unknown): C | undefined;
  /** Why the end must fail by a chunk that has come, if so. */
  protected objectionTo?(chunk: C): Error | undefined;
  /** Closes the WebSocket, once everything has been sent. */
  protected abstract closeCleanly(): void;
  /** Closes the WebSocket after a failure. */
  protected abstract cutOff(reason: unknown): void;

  /** Applies options. The end of a Bun server's WebSocket can be asked for again, with other options. */
  configure({ maxBuffered, maxMessage, ping }: EndSettings): void {
    this.#maxBuffered = maxBuffered ?? this.#maxBuffered;
    this.maxMessage = maxMessage ?? this.maxMessage;
    this.pings?.stop();
    if (ping !== undefined) this.pings = new Pings(this, this.socket, ping);
  }

  /** How the peer has closed the WebSocket, if that was no failure. */
  get peerClose(): Close | undefined {
    return this.#peerClose;
  }

  /** Whether a pong would be reported now. */
  get hearsPongs(): boolean {
    return this.isOpen && !this.#isPeerPaused;
  }

  /** Bytes that wait to be sent. */
  get unsentBytes(): number {
    return this.socket.bufferedAmount ?? this.socket.getBufferedAmount?.() ?? 0;
  }

  protected get isOpen(): boolean {
    return this.socket.readyState === 1;
  }

  /** Called by the WebSocket, or by the handlers of a Bun server. */
  handleEvent(event: WebSocketEventLike): void {
    const { type, data, error } = event;
    if (error) this.#cause = { cause: error };
    if (type === "message") this.onMessage(data);
    else if (type === "pong") this.pings?.onSign();
    else if (type === "close") this.onClose(event);
    else if (type !== "error") this.#onOpenOrDrain();
    // Node 22 reports nothing but an error when it could not connect.
    else if (!this.#wasOpen) this.onClose(event);
  }

  onMessage(data: unknown): void {
    this.pings?.onSign();
    const chunk = this.chunkOf(data);
    if (chunk === undefined) {
      return this.giveUp(new TypeError(`Not of binaryType "arraybuffer": got ${show(data)}`));
    }
    const objection = this.objectionTo?.(chunk);
    if (objection) return this.giveUp(objection);
    const weight = this.weigh(chunk);
    if (this.#isPeerPaused) this.#bytesWhilePaused += weight;
    // Empty chunks of bytes would take memory without ever reaching a limit.
    if (weight > 0) this.onData(chunk);
    // The peer is not to blame for a message of any size that was under way when it was paused.
    const bytes = this.#isPeerPaused ? this.#bytesWhilePaused : this.unreadBytes;
    if (bytes <= this.#maxBuffered) return;
    this.giveUp(new RangeError(`More than ${this.#maxBuffered} bytes wait unread ('maxBuffered')`));
  }

  protected onClose({ code, reason, wasClean }: WebSocketEventLike): void {
    this.#stopTimer();
    this.pings?.stop();
    // The last bytes may have been sent since the unsent bytes were last looked at.
    if (this.unsentBytes <= MAX_UNSENT_BYTES / 2) this.onDrain();
    if (code === 1000 || code === 1001 || code === 1005 && wasClean) {
      this.#peerClose = { code, reason };
      if (this.#isClosing) this.onFinish();
      this.onEnd();
    } else {
      // Deno gives no code after an error.
      const error = new WebSocketCloseError(code || 1006, reason, this.#cause);
      if (!this.#wasOpen) error.message = "The WebSocket could not be opened";
      this.onError(error);
    }
    this.#listen("removeEventListener");
  }

  /** `drain` comes of a Bun server's WebSocket alone. */
  #onOpenOrDrain(): void {
    this.#wasOpen = true;
    if (this.#cutOffReason) this.cutOff(this.#cutOffReason.reason);
    else this.#checkUnsent();
  }

  /** Fails the end, and gives up what waits unread. */
  giveUp(error: Error): void {
    // Before the abort, which a pump that reads nothing takes for a failed write.
    this.lost.reject(error);
    this.abort(error);
  }

  /** Goes on once enough has been sent; closes the WebSocket once everything has been sent. */
  #checkUnsent(): void {
    this.#stopTimer();
    const before = this.#unsentBytes;
    this.#unsentBytes = this.unsentBytes;
    if (this.#unsentBytes < before) this.#waits = 0;
    if (!this.isOpen) return;
    if (this.#unsentBytes > (this.#isClosing ? 0 : MAX_UNSENT_BYTES / 2)) this.#waitForUnsent();
    else if (this.#isClosing) this.closeCleanly();
    else this.onDrain();
  }

  /** By a timer, as no platform but Bun's server reports that something has been sent. */
  #waitForUnsent(): void {
    if (this.#isClosing && this.#waits > MAX_WAITS) return this.reset();
    this.#timer = setTimeout(() => this.#checkUnsent(), Math.min(++this.#waits, MAX_WAIT_MS));
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  protected override get isCongested(): boolean {
    return this.#timer !== undefined;
  }

  protected override get highWaterBytes(): number {
    return Math.min(super.highWaterBytes, this.#maxBuffered);
  }

  /** Sends a message. Returns whether the WebSocket took it. */
  protected sendMessage(message: C): boolean {
    if (!this.isOpen) return false;
    // Bun's server alone returns a number: 0 if it dropped the message, or the message was empty, and more than 0 if
    // there is room for more.
    const result = this.socket.send(message);
    const isRefused = result === 0 && message.length > 0;
    const hasRoom = typeof result === "number" && result > 0;
    if (isRefused || !hasRoom && this.unsentBytes > MAX_UNSENT_BYTES) {
      this.#unsentBytes = this.unsentBytes;
      this.#waitForUnsent();
    }
    return !isRefused;
  }

  protected override endWriting(): void {
    this.#isClosing = true;
    this.#waits = 0;
    // The answer to a close comes behind what the peer has sent.
    this.resume();
    this.#checkUnsent();
  }

  protected override disconnect(): void {
    this.pings?.stop();
    if (this.isOpen) return this.endWriting();
    // A peer that was cut off may never answer.
    this.#isClosing = true;
    this.closeCleanly();
  }

  protected override reset(reason?: unknown): void {
    clearTimeout(this.#timer);
    this.resume();
    this.pings?.stop();
    // A WebSocket of Deno's server opens nonetheless, and does not tell its peer (2.9).
    if (this.socket.readyState === 0) this.#cutOffReason = { reason };
    this.cutOff(reason);
  }

  protected override pause(): void {
    if (this.#isClosing || !this.socket.pause) return;
    this.socket.pause();
    this.#isPeerPaused = true;
  }

  protected override resume(): void {
    this.socket.resume?.();
    this.#isPeerPaused = false;
    this.#bytesWhilePaused = 0;
    if (this.isOpen && !this.#isClosing) this.pings?.start();
  }

  protected override handBack(): void {
    this.pings?.stop();
  }

  /** A WebSocket that the peer has closed cannot be written to. */
  protected override onEofRead(): void {
    this.onError(new WebSocketCloseError(1000));
  }

  /** From the constructor on, so that an early failure is not lost, until the WebSocket is closed. */
  #listen(verb: "addEventListener" | "removeEventListener"): void {
    for (const type of EVENTS) this.socket[verb]?.(type, this);
  }
}
