/**
 * Ends of message ports: two threads, or a page and its worker, as the two ends of a connection.
 *
 * @example A worker that answers over TCP for whoever has the other port, on Deno
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
import type { Pair } from "../ends.ts";
import { assertKnown, refuse } from "../check/refuse.ts";
import { isFunction } from "../check/kinds.ts";
import { type Bytes, EventEnd } from "./events/event_end.ts";

/** What {@linkcode fromMessagePort} takes: the part of a `MessagePort` that it uses. */
export interface MessagePortLike {
  /** Sends a message; the memory of what is in the list goes with it. */
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Adds a listener. */
  addEventListener(type: string, listener: MessagePortListener): void;
  /** Removes one. */
  removeEventListener(type: string, listener: MessagePortListener): void;
  /** Starts the delivery of messages. */
  start(): void;
  /** Closes it. */
  close(): void;
}

/** What hears the events of a {@linkcode MessagePortLike}. */
export interface MessagePortListener {
  /** Takes an event. */
  handleEvent(event: never): void;
}

/** Options of {@linkcode fromMessagePort}. */
export interface MessagePortOptions {
  /**
   * Milliseconds of silence after which the other side is asked whether it is there; if it is still silent after
   * three times as long, the end fails. A thread that computes answers nothing.
   *
   * @default {15_000} `Infinity` on Node and Bun, which tell that a port was closed, or its thread has ended
   */
  ping?: number;
}

const ACTION = "make an end of a message port";
const LONGEST_PING_MS = 2 ** 31 - 1;

const { process } = globalThis as { process?: { versions?: { node?: string } } };
/** That a port was closed, by an event: Node and Bun do; Deno 2.9, Chromium 156 and Firefox 153 do not. */
const TELLS = process?.versions?.node !== undefined && !("Deno" in globalThis);

/** Bytes that may be on their way, or wait unread. */
const WINDOW = 256 * 1024;
/** What has been read is told in so many parts of it. */
const GRANTS = 4;

/** What is said besides bytes (an `ArrayBuffer`), and how many of them were read (a number). */
const END_OF_FILE = null;
const TAKES_NO_MORE = false;
const ARE_YOU_THERE = "?";
const I_AM_THERE = "!";

/** Any other failure is told as it is, by as much of it as every platform hands over. */
interface Told {
  name?: unknown;
  message: string;
  code?: unknown;
}

/**
 * Makes an end of a message port whose other port, in another thread or this one, is made an end as well.
 *
 * What is written is copied once, and the copy transferred. At most 256 KiB and a chunk are on their way,
 * or wait unread. The end of one direction is a message; a failure is told by its `name`, `message` and
 * `code`, if these can be cloned, and the other end fails with an error that has them.
 *
 * A port that was closed, or the end of its thread, is a failure with `code: "ECONNRESET"`. Only Node and Bun
 * tell of these; elsewhere the other side is asked whether it is there, see the option `ping`.
 *
 * @param port The port, which nobody else listens to; the end has it from here on.
 * @param options How it is found out that the other side is there.
 * @returns A pair of streams.
 * @throws {TypeError} If it is no port, or there is another option.
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
  const { ping = TELLS ? Infinity : 15_000 } = options;
  if (!(ping > 0 && (ping === Infinity || ping <= LONGEST_PING_MS))) {
    const rule = `must be above 0 and at most ${LONGEST_PING_MS}, or Infinity`;
    refuse(ACTION, "ping", rule, ping, RangeError);
  }
  return new MessagePortEnd(port, ping);
}

class MessagePortEnd extends EventEnd {
  override readonly consumesOnWrite = true;
  readonly #port: MessagePortLike;
  /** Bytes that may still be sent. */
  #credit = WINDOW;
  #came = 0;
  #granted = 0;
  /** So many times in a row it has not been heard of. */
  #silences = 0;
  #eofSent = false;
  #timer?: ReturnType<typeof setInterval>;

  constructor(port: MessagePortLike, ping: number) {
    super(false);
    this.#port = port;
    for (const type of EVENTS) port.addEventListener(type, this);
    port.start();
    if (ping < Infinity) this.#timer = setInterval(() => this.#ask(), ping);
  }

  handleEvent({ type, data }: MessageEvent): void {
    if (type !== "message") return this.#lost("has closed its port, or is gone");
    this.#silences = 0;
    if (data instanceof ArrayBuffer) {
      this.#came += data.byteLength;
      this.received(new Uint8Array(data));
      this.#grant();
    } else if (typeof data === "number") {
      this.#credit += data;
      if (this.#credit > 0) this.drained();
    } else if (data === END_OF_FILE) {
      this.ended();
    } else if (data === TAKES_NO_MORE) {
      this.#lost("takes no more");
    } else if (data === ARE_YOU_THERE) {
      this.#post(I_AM_THERE);
    } else if (data !== I_AM_THERE) {
      const { name, message, code } = Object(data) as Told;
      this.#fail(Object.assign(new Error(message), name && { name }, code && { code }));
    }
  }

  override pull(): ReturnType<EventEnd["pull"]> {
    const chunk = super.pull();
    this.#grant();
    return chunk;
  }

  protected override get congested(): boolean {
    return this.#credit <= 0;
  }

  protected override send(bytes: Bytes): number {
    if (this.congested) return 0;
    const { buffer, length } = bytes.slice(0, WINDOW);
    this.#credit -= length;
    this.#port.postMessage(buffer, [buffer]);
    return length;
  }

  protected override finish(): void {
    this.#eofSent = true;
    this.#post(END_OF_FILE);
    this.finished();
  }

  protected override shut(): void {
    if (!this.#eofSent) this.#post(END_OF_FILE);
    this.#post(TAKES_NO_MORE);
    this.#close();
  }

  protected override reset(reason: unknown): void {
    const { name, message = `The other side has failed: ${reason}`, code } = Object(reason);
    try {
      this.#post({ name, message, code });
    } catch {
      // Whatever they are, they cannot be cloned.
      this.#post({ message: String(message) });
    }
    this.#close();
  }

  // Whoever reads nothing gives no credit.
  protected override pause(): void {}
  protected override resume(): void {}

  /** What has been read makes room for as much. */
  #grant(): void {
    const read = this.#came - this.unread;
    if (read - this.#granted < WINDOW / GRANTS) return;
    this.#post(read - this.#granted);
    this.#granted = read;
  }

  /** Twice: after a standstill of this thread, its answer may wait behind the timer. */
  #ask(): void {
    if (++this.#silences > 2) this.#lost("does not answer");
    else this.#post(ARE_YOU_THERE);
  }

  #lost(how: string): void {
    this.#fail(Object.assign(new Error(`The other side ${how}`), { code: "ECONNRESET" }));
  }

  #fail(error: Error): void {
    clearInterval(this.#timer);
    this.failed(error);
  }

  #post(message: unknown): void {
    this.#port.postMessage(message, []);
  }

  #close(): void {
    clearInterval(this.#timer);
    for (const type of EVENTS) this.#port.removeEventListener(type, this);
    this.#port.close();
  }
}

const EVENTS = ["message", "close"];
