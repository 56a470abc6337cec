// The end of a data channel and its protocol; for `webrtc.ts` alone.

import { bytesOf } from "../../check/bytes.ts";
import { ReusablePromise } from "../../core/reusable_promise.ts";
import { show, tagOf } from "../../check/show.ts";
import type { DataChannelLike } from "./channel.ts";
import { type Bytes, EventEnd } from "../events/event_end.ts";

/** The same, as it is used. */
interface Channel extends Omit<DataChannelLike, "send" | `${"add" | "remove"}EventListener`> {
  send(message: string | Bytes): void;
  addEventListener(type: string, listener: (event: ChannelEvent) => void): void;
  removeEventListener(type: string, listener: (event: ChannelEvent) => void): void;
}

/** What the events have, each something of it. */
interface ChannelEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly error?: unknown;
}

/** How an end is to be; see {@linkcode DataChannelOptions}. */
export interface DataChannelSettings {
  readonly framed: boolean;
  readonly maxBuffered: number;
  readonly maxFrame: number;
}

/** Bytes that may wait to be sent; no more is sent before half of them have gone. Chromium fails at 16 MiB. */
const MOST_UNSENT = 1024 * 1024;
/** So many times what a socket's end keeps unread: a round trip takes longer than a `resume()`. */
const WINDOW = 4;
/** How long the peer may take for the last messages. */
const LONGEST_GOODBYE_MS = 5000;

const EVENTS = ["open", "message", "bufferedamountlow", "error", "close"];

const encoder = new TextEncoder();

/**
 * An end over an `RTCDataChannel`.
 *
 * Framed, its bytes are binary messages, and what the two ends say to each other is text: a number, how many
 * bytes may be sent in all, before anything else; `end`, of file; `ack`, that it has come, with all before it;
 * `bye`, that nothing more is needed, once both ends of file are acknowledged. Who is told `bye` may close the
 * channel: whatever that drops, nobody waits for it.
 *
 * Chromium 156 loses, in 2 of 100 channels that are announced to it, all that is sent in the same turn. So the
 * first number is said again when the peer's has come, and nothing else before; unframed, a turn is waited for.
 */
export class DataChannelEnd extends EventEnd {
  override readonly halfClose: boolean;
  override readonly consumesOnWrite: boolean;
  /** Rejects once what waits unread has been given up; a pump that is stuck in a write asks for nothing. */
  readonly lost = new ReusablePromise<never>().begin();
  readonly #channel: Channel;
  readonly #settings: DataChannelSettings;
  /** Bytes that we may send in all, and have sent; that the peer may, and has. */
  #allowed: number;
  #sent = 0;
  #granted = 0;
  #came = 0;
  #opened = false;
  #greeted = false;
  /** Too much waits to be sent. */
  #full = false;
  /** Our end of file is to be told, or has been, and has come; the peer's has. */
  #ending = false;
  #acked = false;
  #over = false;
  #shutting = false;
  #cause?: ErrorOptions;
  #timer?: ReturnType<typeof setTimeout>;
  #left?: () => void;
  /** Fulfils once the connection may be closed around it. */
  readonly #gone = new Promise<void>((resolve) => this.#left = resolve);

  constructor(channel: DataChannelLike, settings: DataChannelSettings) {
    super(false);
    this.#channel = channel as Channel;
    this.#settings = settings;
    this.halfClose = settings.framed;
    // The standard's `send()` copies; a package's need not.
    this.consumesOnWrite = tagOf(channel) === "RTCDataChannel";
    this.#allowed = settings.framed ? 0 : Infinity;
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = MOST_UNSENT / 2;
    for (const type of EVENTS) this.#channel.addEventListener(type, this.#hear);
    if (this.#open() && !settings.framed) {
      this.#full = true;
      setTimeout(() => this.#look());
    }
  }

  /** A function, as not every package takes an object. */
  readonly #hear = ({ type, data, error }: ChannelEvent): void => {
    const open = this.#open();
    if (type === "message") this.#receive(data);
    else if (type === "error") this.#cause = { cause: error };
    else if (type === "close") this.#leave();
    else if (open) this.#look();
  };

  /** Whether it is. Messages may come before the event that says so (Chromium 156). */
  #open(): boolean {
    const open = this.#channel.readyState === "open";
    if (open && !this.#opened) {
      this.#opened = true;
      this.#grant();
    }
    return open;
  }

  #receive(data: unknown): void {
    const { framed, maxBuffered } = this.#settings;
    const text = typeof data === "string";
    if (framed && text) return this.#listen(data);
    const bytes = text ? encoder.encode(data) : bytesOf(data);
    if (!bytes || framed && !this.#greeted) return this.#misunderstand(data);
    this.#came += bytes.length;
    // Any number of empty ones would fit.
    if (bytes.length > 0) this.received(bytes);
    if (framed ? this.#came <= this.#granted : this.unread <= maxBuffered) return this.#grant();
    this.#giveUp(new RangeError(`More than ${maxBuffered} bytes wait unread ('maxBuffered')`));
  }

  /** To what the peer's end says. */
  #listen(text: string): void {
    if (/^\d+$/.test(text)) {
      this.#allowed = Number(text);
      if (!this.#greeted) this.#greet();
      return this.drained();
    }
    if (text === "end" && this.#greeted) {
      this.#over = true;
      this.#say("ack");
      this.ended();
    } else if (text === "ack" && this.#ending) {
      this.#acked = true;
      this.finished();
    } else if (text === "bye" && this.#acked && this.#over) {
      return this.#leave();
    } else {
      return this.#misunderstand(text);
    }
    if (!this.#acked) return;
    if (this.#over) this.#say("bye");
    else if (this.#shutting) this.#leave();
  }

  #greet(): void {
    this.#greeted = true;
    this.#say(`${this.#granted}`);
    if (this.#ending) this.finish();
  }

  #misunderstand(data: unknown): void {
    const rule = this.#settings.framed
      ? "is no fromDataChannel() that is framed"
      : "sends no bytes";
    this.#giveUp(new TypeError(`The peer ${rule}: got ${show(data)}`));
  }

  #giveUp(error: Error): void {
    // First, as an abort looks like a failed write to a pump that reads nothing.
    this.lost.reject(error);
    this.abort(error);
  }

  #say(text: string): void {
    if (this.#open()) this.#channel.send(text);
  }

  /** Lets the peer send more, once it has used up half of what it may leave unread. */
  #grant(): void {
    if (!this.#settings.framed || !this.#open() || this.#over) return;
    const most = Math.ceil(Math.min(WINDOW * super.highWaterBytes, this.#settings.maxBuffered));
    const used = this.#granted - this.#came + this.unread;
    if (used > most / 2) return;
    this.#granted += most - used;
    this.#say(`${this.#granted}`);
  }

  /** Goes on: it is open, or enough has been sent, or everything, before closing. */
  #look(): void {
    this.#full = false;
    if (this.#ending && !this.halfClose) this.finish();
    this.drained();
  }

  /** Lets go of the channel: all that matters has been said, or there is nobody to say it to. */
  #leave(): void {
    const left = this.#left;
    if (!left) return;
    this.#left = undefined;
    clearTimeout(this.#timer);
    for (const type of EVENTS) this.#channel.removeEventListener(type, this.#hear);
    this.#channel.close();
    left();
    if (this.halfClose || !this.#opened || this.#cause) return this.failed(this.#loss);
    if (this.#ending) this.finished();
    this.ended();
  }

  /** Of no interest where both directions have ended. */
  get #loss(): Error {
    const [message, code] = this.#opened
      ? ["The data channel was closed before its end of file", "ECONNRESET"]
      : ["The data channel could not be opened", "EHOSTUNREACH"];
    return Object.assign(new Error(message, this.#cause), { code });
  }

  override pull(): Bytes | null | ReusablePromise<Bytes | null> {
    const chunk = super.pull();
    this.#grant();
    return chunk;
  }

  /** Whoever closes the connection next must not take the last messages along. */
  override close(reason?: unknown): Promise<void> | void {
    super.close(reason);
    if (reason === undefined) return this.#gone;
  }

  protected override get congested(): boolean {
    return this.#full;
  }

  protected override send(bytes: Bytes): number {
    if (!this.#open()) return 0;
    const { maxFrame } = this.#settings;
    let sent = 0;
    while (sent < bytes.length && this.#sent < this.#allowed && !this.#full) {
      const frame = bytes.subarray(sent, sent + Math.min(maxFrame, this.#allowed - this.#sent));
      this.#channel.send(frame);
      sent += frame.length;
      this.#sent += frame.length;
      this.#full = this.#channel.bufferedAmount > MOST_UNSENT;
    }
    return sent;
  }

  protected override finish(): void {
    const open = this.#open();
    this.#ending = true;
    if (this.halfClose) return this.#greeted ? this.#say("end") : undefined;
    this.#channel.bufferedAmountLowThreshold = 0;
    if (open && this.#channel.bufferedAmount === 0) this.#leave();
  }

  protected override shut(): void {
    this.#shutting = true;
    if (!this.#open() || this.#acked && !this.#over) return this.#leave();
    if (this.#left) this.#timer = setTimeout(() => this.#leave(), LONGEST_GOODBYE_MS);
    if (!this.#ending) this.finish();
  }

  /** Nobody can write any more either. */
  protected override eof(): void {
    if (!this.halfClose) this.failed(new Error("The data channel has been closed"));
  }

  protected override reset(): void {
    this.#leave();
  }

  /** There is no such thing: it is given less, or nothing, to send. */
  protected override pause(): void {}

  protected override resume(): void {
    this.#grant();
  }
}
