/**
 * Ends of message ports: a connection between two threads, as a page and its worker.
 *
 * @example A worker that joins the port of a page to TCP, on Deno
 * ```ts ignore
 * // In the page, or the main thread:
 * const { port1, port2 } = new MessageChannel();
 * worker.postMessage(port2, [port2]);
 * await join(fromMessagePort(port1), end);
 *
 * // In the worker:
 * self.onmessage = async ({ data: port }) => {
 *   await join(fromMessagePort(port), await Deno.connect({ port: 5900 }));
 * };
 * ```
 *
 * @module
 */
import { isFunction } from "../check/kinds.ts";
import { MAX_TIMEOUT_MS } from "../check/options.ts";
import { assertKnown, refuse } from "../check/refuse.ts";
import type { Pair } from "../ends.ts";
import { type Bytes, EventEnd } from "./events/event_end.ts";

/** What {@linkcode fromMessagePort} takes: the part of a `MessagePort` that it uses. */
export interface MessagePortLike {
  /** Sends a message; the memory of the buffers in the list goes with it. */
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Adds a listener. */
  addEventListener(type: string, listener: MessagePortListener): void;
  /** Removes a listener. */
  removeEventListener(type: string, listener: MessagePortListener): void;
  /** Starts the delivery of messages. */
  start(): void;
  /** Closes the port. */
  close(): void;
}

/** What listens for the events of a {@linkcode MessagePortLike}. */
export interface MessagePortListener {
  /** Called with an event. */
  handleEvent(event: never): void;
}

/** Options of {@linkcode fromMessagePort}. */
export interface MessagePortOptions {
  /**
   * Milliseconds of silence after which the other side is asked whether it is there. If it is still silent after
   * three times as long, the end fails. A thread that is busy computing answers nothing.
   *
   * @default {15_000} `Infinity` on Node and Bun, which report that a port was closed, or that its thread has ended
   */
  ping?: number;
}

const ACTION = "make an end of a message port";
const EVENTS = ["message", "close"];

const { process } = globalThis as { process?: { versions?: { node?: string } } };
/** Whether an event reports a closed port: on Node and Bun; not on Deno 2.9, Chromium 156 and Firefox 153. */
const REPORTS_CLOSE = process?.versions?.node !== undefined && !("Deno" in globalThis);

/** Bytes that may be under way, or wait unread at the other end. */
const WINDOW_BYTES = 256 * 1024;
/** Into how many credit messages a window that has been read is divided. */
const CREDITS_PER_WINDOW = 4;
/** How many questions in a row may go unanswered. */
const MAX_SILENCES = 2;

// The messages: bytes as an `ArrayBuffer`, a credit of bytes that have been read as a number, and these. A failure is
// sent as an object.
const END_OF_FILE = null;
const TAKES_NO_MORE = false;
const ARE_YOU_THERE = "?";
const I_AM_THERE = "!";

/** What is sent of a failure: as much as every platform can clone. */
interface SentFailure {
  name?: unknown;
  message: string;
  code?: unknown;
}

/**
 * Makes an end of a message port. The other port, in another thread or in this one, must be made an end as well.
 *
 * What is written is copied once, and the copy is transferred. At most 256 KiB and a chunk are under way or wait
 * unread. The end of file of each direction is a message. A failure is sent as its `name`, `message` and `code` if
 * these can be cloned, and the other end fails with an error that has them.
 *
 * If the other port was closed, or its thread has ended, the end fails with `code: "ECONNRESET"`. Only Node and Bun
 * report that; elsewhere the other side is asked whether it is there, see the option `ping`.
 *
 * @param port The port, which nobody else may listen to; it belongs to the end from here on.
 * @param options How the end finds out whether the other side is there.
 * @returns A pair of streams that can half-close.
 * @throws {TypeError} If `port` is no port, or there is an unknown option.
 * @throws {RangeError} If `ping` is no number of milliseconds above 0.
 *
 * @example
 * ```ts
 * import { fromMessagePort } from "@webstreams/join/message_port";
 * import { pipe } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const { port1, port2 } = new MessageChannel();
 * const [here, there] = [fromMessagePort(port1), fromMessagePort(port2)];
 *
 * await pipe(new Blob(["hello"]).stream(), here.writable);
 * assertEquals(await new Response(there.readable).text(), "hello");
 * await there.writable.close();
 * await new Response(here.readable).text();
 * ```
 */
export function fromMessagePort(port: MessagePortLike, options: MessagePortOptions = {}): Pair {
  const verbs = ["postMessage", "addEventListener", "start", "close"];
  if (!verbs.every((verb) => isFunction(port, verb))) {
    refuse(ACTION, "port", "must be a MessagePort", port);
  }
  assertKnown(ACTION, options, ["ping"]);
  const { ping = REPORTS_CLOSE ? Infinity : 15_000 } = options;
  if (!(ping > 0 && (ping === Infinity || ping <= MAX_TIMEOUT_MS))) {
    const rule = `must be above 0 and at most ${MAX_TIMEOUT_MS}, or Infinity`;
    refuse(ACTION, "ping", rule, ping, RangeError);
  }
  return new MessagePortEnd(port, ping);
}

class MessagePortEnd extends EventEnd {
  override readonly consumesOnWrite = true;
  readonly #port: MessagePortLike;
  /** Bytes that may still be sent; below 0 after a chunk that was larger. */
  #credit = WINDOW_BYTES;
  /** Bytes that have come, and those of them that the other side has been given credit for. */
  #received = 0;
  #credited = 0;
  /** Questions in a row that the other side has not answered. */
  #silences = 0;
  #isEndSent = false;
  #timer?: ReturnType<typeof setInterval>;

  constructor(port: MessagePortLike, ping: number) {
    super(false);
    this.#port = port;
    for (const type of EVENTS) port.addEventListener(type, this);
    port.start();
    if (ping < Infinity) this.#timer = setInterval(() => this.#ask(), ping);
  }

  /** Called by the port. */
  handleEvent({ type, data }: MessageEvent): void {
    if (type !== "message") return this.#onLoss("has closed its port, or is gone");
    this.#silences = 0;
    if (data instanceof ArrayBuffer) {
      this.#received += data.byteLength;
      this.onData(new Uint8Array(data));
      this.#sendCredit();
    } else if (typeof data === "number") {
      this.#credit += data;
      if (this.#credit > 0) this.onDrain();
    } else if (data === END_OF_FILE) {
      this.onEnd();
    } else if (data === TAKES_NO_MORE) {
      this.#onLoss("takes no more");
    } else if (data === ARE_YOU_THERE) {
      this.#post(I_AM_THERE);
    } else if (data !== I_AM_THERE) {
      const { name, message, code }: SentFailure = Object(data);
      this.#onFailure(Object.assign(new Error(message), name && { name }, code && { code }));
    }
  }

  override pull(): ReturnType<EventEnd["pull"]> {
    const chunk = super.pull();
    this.#sendCredit();
    return chunk;
  }

  protected override get isCongested(): boolean {
    return this.#credit <= 0;
  }

  protected override send(bytes: Bytes): number {
    if (this.isCongested) return 0;
    const { buffer, length } = bytes.slice(0, WINDOW_BYTES);
    this.#credit -= length;
    this.#port.postMessage(buffer, [buffer]);
    return length;
  }

  protected override endWriting(): void {
    this.#isEndSent = true;
    this.#post(END_OF_FILE);
    this.onFinish();
  }

  protected override disconnect(): void {
    if (!this.#isEndSent) this.#post(END_OF_FILE);
    this.#post(TAKES_NO_MORE);
    this.#closePort();
  }

  protected override reset(reason: unknown): void {
    const { name, message = `The other side has failed: ${reason}`, code } = Object(reason);
    try {
      this.#post({ name, message, code });
    } catch {
      // The name, the code or the message cannot be cloned.
      this.#post({ message: String(message) });
    }
    this.#closePort();
  }

  // An end that is not read gives no credit, which pauses the other side.
  protected override pause(): void {}
  protected override resume(): void {}

  /** Lets the other side send as much more as has been read. */
  #sendCredit(): void {
    const read = this.#received - this.unreadBytes;
    if (read - this.#credited < WINDOW_BYTES / CREDITS_PER_WINDOW) return;
    this.#post(read - this.#credited);
    this.#credited = read;
  }

  /** More than one question, as after a standstill of this thread the answer may wait behind the timer. */
  #ask(): void {
    if (++this.#silences > MAX_SILENCES) this.#onLoss("does not answer");
    else this.#post(ARE_YOU_THERE);
  }

  #onLoss(how: string): void {
    this.#onFailure(Object.assign(new Error(`The other side ${how}`), { code: "ECONNRESET" }));
  }

  #onFailure(error: Error): void {
    clearInterval(this.#timer);
    this.onError(error);
  }

  #post(message: unknown): void {
    this.#port.postMessage(message, []);
  }

  #closePort(): void {
    clearInterval(this.#timer);
    for (const type of EVENTS) this.#port.removeEventListener(type, this);
    this.#port.close();
  }
}
