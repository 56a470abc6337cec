// The end of a data channel, and its protocol; for `mod.ts` alone.

import { bytesOf } from "../../check/bytes.ts";
import { show, tagOf } from "../../check/show.ts";
import { ReusablePromise } from "../../core/reusable_promise.ts";
import { type Bytes, EventEnd } from "../events/event_end.ts";
import type { DataChannelLike } from "./like.ts";

/** A channel with the types that the end uses it by; those of {@linkcode DataChannelLike} suit every package. */
interface Channel extends Omit<DataChannelLike, "send" | `${"add" | "remove"}EventListener`> {
  send(message: string | Bytes): void;
  addEventListener(type: string, listener: (event: ChannelEvent) => void): void;
  removeEventListener(type: string, listener: (event: ChannelEvent) => void): void;
}

/** The members of all events; each event has some. */
interface ChannelEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly error?: unknown;
}

/** {@linkcode DataChannelOptions} with all defaults. */
export interface DataChannelSettings {
  readonly framed: boolean;
  readonly maxBuffered: number;
  readonly maxFrame: number;
}

/** Bytes that may wait to be sent. Nothing is sent until half of them have gone. Chromium fails at 16 MiB. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** How many times what a socket's end keeps unread the peer may send: a round trip takes longer than a `resume()`. */
const WINDOW_FACTOR = 4;
/** How long the peer may take to acknowledge our end of file, in milliseconds. */
const MAX_GOODBYE_MS = 5000;

const EVENTS = ["open", "message", "bufferedamountlow", "error", "close"];

const encoder = new TextEncoder();

/**
 * An end over an `RTCDataChannel`.
 *
 * If it is framed, bytes are binary messages, and what the two ends tell each other is text: first a number, the
 * bytes that may be sent in all; `end`, the end of file; `ack`, that the end of file has come, and all before it;
 * `bye`, that nothing more is needed, once both ends of file are acknowledged. An end that has got `bye` may close
 * the channel: nobody waits for what that drops.
 *
 * Chromium 156 loses, in 2 of 100 channels that are announced to it, all that is sent in the turn of the event. So
 * the first number is sent again when the peer's has come, and nothing else before; an end that is not framed waits
 * for a turn.
 */
export class DataChannelEnd extends EventEnd {
  override readonly halfClose: boolean;
  override readonly consumesOnWrite: boolean;
  /** Rejects when bytes that wait unread are given up, which a pump that is stuck in a write would not see. */
  readonly lost = new ReusablePromise<never>().begin();
  readonly #channel: Channel;
  readonly #settings: DataChannelSettings;
  /** Bytes that we may send in all, and those that we have sent. */
  #sendLimit: number;
  #sent = 0;
  /** Bytes that the peer may send in all, and those that have come. */
  #receiveLimit = 0;
  #received = 0;
  #wasOpen = false;
  /** Whether the peer's first number has come. */
  #isGreeted = false;
  /** Whether too much waits to be sent. */
  #isFull = false;
  /** Whether our end of file has been sent, or is to be once the peer has greeted. */
  #isEnding = false;
  /** Whether the peer has acknowledged our end of file. */
  #isEndAcked = false;
  /** Whether the peer's end of file has come. */
  #hasPeerEnded = false;
  #isDisconnecting = false;
  #cause?: ErrorOptions;
  #goodbye?: ReturnType<typeof setTimeout>;
  /** Fulfils {@linkcode DataChannelEnd.#gone}; `undefined` once the channel has been closed. */
  #onGone?: () => void;
  /** Fulfils once the connection of the channel may be closed. */
  readonly #gone = new Promise<void>((resolve) => this.#onGone = resolve);

  constructor(channel: DataChannelLike, settings: DataChannelSettings) {
    super(false);
    this.#channel = channel as Channel;
    this.#settings = settings;
    this.halfClose = settings.framed;
    // The standard's `send()` copies; that of a package need not.
    this.consumesOnWrite = tagOf(channel) === "RTCDataChannel";
    this.#sendLimit = settings.framed ? 0 : Infinity;
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = MAX_UNSENT_BYTES / 2;
    for (const type of EVENTS) this.#channel.addEventListener(type, this.#onEvent);
    if (this.#isOpen() && !settings.framed) {
      this.#isFull = true;
      setTimeout(() => this.#onRoom());
    }
  }

  /** Called by the channel. A function, as not every package takes an object for a listener. */
  readonly #onEvent = ({ type, data, error }: ChannelEvent): void => {
    const isOpen = this.#isOpen();
    if (type === "message") this.#onMessage(data);
    else if (type === "error") this.#cause = { cause: error };
    else if (type === "close") this.#closeChannel();
    else if (isOpen) this.#onRoom();
  };

  /** Whether the channel is open; the peer may send from then on. A message may come before `open` (Chromium 156). */
  #isOpen(): boolean {
    const isOpen = this.#channel.readyState === "open";
    if (isOpen && !this.#wasOpen) {
      this.#wasOpen = true;
      this.#raiseReceiveLimit();
    }
    return isOpen;
  }

  #onMessage(data: unknown): void {
    const { framed, maxBuffered } = this.#settings;
    const isText = typeof data === "string";
    if (framed && isText) return this.#onText(data);
    const bytes = isText ? encoder.encode(data) : bytesOf(data);
    if (!bytes || framed && !this.#isGreeted) return this.#onUnexpected(data);
    this.#received += bytes.length;
    // Empty chunks would take memory without ever reaching a limit.
    if (bytes.length > 0) this.onData(bytes);
    const isWithinLimit = framed
      ? this.#received <= this.#receiveLimit
      : this.unreadBytes <= maxBuffered;
    if (isWithinLimit) return this.#raiseReceiveLimit();
    this.#giveUp(new RangeError(`More than ${maxBuffered} bytes wait unread ('maxBuffered')`));
  }

  /** What the peer's end tells. */
  #onText(text: string): void {
    if (/^\d+$/.test(text)) {
      this.#sendLimit = Number(text);
      if (!this.#isGreeted) this.#onGreeting();
      return this.onDrain();
    }
    if (text === "end" && this.#isGreeted) {
      this.#hasPeerEnded = true;
      this.#tell("ack");
      this.onEnd();
    } else if (text === "ack" && this.#isEnding) {
      this.#isEndAcked = true;
      this.onFinish();
    } else if (text === "bye" && this.#isEndAcked && this.#hasPeerEnded) {
      return this.#closeChannel();
    } else {
      return this.#onUnexpected(text);
    }
    if (!this.#isEndAcked) return;
    if (this.#hasPeerEnded) this.#tell("bye");
    else if (this.#isDisconnecting) this.#closeChannel();
  }

  #onGreeting(): void {
    this.#isGreeted = true;
    this.#tell(`${this.#receiveLimit}`);
    if (this.#isEnding) this.endWriting();
  }

  #onUnexpected(data: unknown): void {
    const rule = this.#settings.framed
      ? "is no fromDataChannel() that is framed"
      : "sends no bytes";
    this.#giveUp(new TypeError(`The peer ${rule}: got ${show(data)}`));
  }

  #giveUp(error: Error): void {
    // Before the abort, which a pump that reads nothing takes for a failed write.
    this.lost.reject(error);
    this.abort(error);
  }

  #tell(text: string): void {
    if (this.#isOpen()) this.#channel.send(text);
  }

  /** Lets the peer send more, once it has used up half of what may be under way or wait unread. */
  #raiseReceiveLimit(): void {
    if (!this.#settings.framed || !this.#isOpen() || this.#hasPeerEnded) return;
    const { maxBuffered } = this.#settings;
    const window = Math.ceil(Math.min(WINDOW_FACTOR * super.highWaterBytes, maxBuffered));
    const used = this.#receiveLimit - this.#received + this.unreadBytes;
    if (used > window / 2) return;
    this.#receiveLimit += window - used;
    this.#tell(`${this.#receiveLimit}`);
  }

  /** The channel has opened, or enough has been sent, or everything once the writing is to end. */
  #onRoom(): void {
    this.#isFull = false;
    if (this.#isEnding && !this.halfClose) this.endWriting();
    this.onDrain();
  }

  /** Closes the channel, once: all that matters has been told, or there is nobody to tell it to. */
  #closeChannel(): void {
    const onGone = this.#onGone;
    if (!onGone) return;
    this.#onGone = undefined;
    clearTimeout(this.#goodbye);
    for (const type of EVENTS) this.#channel.removeEventListener(type, this.#onEvent);
    this.#channel.close();
    onGone();
    // No failure where both halves have ended.
    if (this.halfClose || !this.#wasOpen || this.#cause) return this.onError(this.#earlyClose());
    if (this.#isEnding) this.onFinish();
    this.onEnd();
  }

  #earlyClose(): Error {
    const [message, code] = this.#wasOpen
      ? ["The data channel was closed before its end of file", "ECONNRESET"]
      : ["The data channel could not be opened", "EHOSTUNREACH"];
    return Object.assign(new Error(message, this.#cause), { code });
  }

  override pull(): Bytes | null | ReusablePromise<Bytes | null> {
    const chunk = super.pull();
    this.#raiseReceiveLimit();
    return chunk;
  }

  /** Fulfils once the connection may be closed without taking the last messages along. */
  override close(reason?: unknown): Promise<void> | void {
    super.close(reason);
    if (reason === undefined) return this.#gone;
  }

  protected override get isCongested(): boolean {
    return this.#isFull;
  }

  protected override send(bytes: Bytes): number {
    if (!this.#isOpen()) return 0;
    const { maxFrame } = this.#settings;
    let sent = 0;
    while (sent < bytes.length && this.#sent < this.#sendLimit && !this.#isFull) {
      const length = Math.min(maxFrame, this.#sendLimit - this.#sent);
      const frame = bytes.subarray(sent, sent + length);
      this.#channel.send(frame);
      sent += frame.length;
      this.#sent += frame.length;
      this.#isFull = this.#channel.bufferedAmount > MAX_UNSENT_BYTES;
    }
    return sent;
  }

  protected override endWriting(): void {
    const isOpen = this.#isOpen();
    this.#isEnding = true;
    if (this.halfClose) return this.#isGreeted ? this.#tell("end") : undefined;
    this.#channel.bufferedAmountLowThreshold = 0;
    if (isOpen && this.#channel.bufferedAmount === 0) this.#closeChannel();
  }

  protected override disconnect(): void {
    this.#isDisconnecting = true;
    if (!this.#isOpen() || this.#isEndAcked && !this.#hasPeerEnded) return this.#closeChannel();
    if (this.#onGone) this.#goodbye = setTimeout(() => this.#closeChannel(), MAX_GOODBYE_MS);
    if (!this.#isEnding) this.endWriting();
  }

  protected override reset(): void {
    this.#closeChannel();
  }

  // The peer is paused by giving it less to send, or nothing.
  protected override pause(): void {}

  protected override resume(): void {
    this.#raiseReceiveLimit();
  }

  /** Without framing, the peer's end of file has closed the channel. */
  protected override onEofRead(): void {
    if (!this.halfClose) this.onError(new Error("The data channel has been closed"));
  }
}
