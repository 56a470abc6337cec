// Public: `fromWebSocketStream()`.

import { refuse } from "../../check/refuse.ts";
import type { Message, MessagePair, Pair } from "../../ends.ts";
import type { WebSocketEventLike, WebSocketLike } from "./like.ts";
import { readOptions, type WebSocketMessageOptions, type WebSocketOptions } from "./options.ts";

/** How a `WebSocketStream` was closed, or is to be closed. */
export interface WebSocketStreamClose {
  /** The code of the close. */
  closeCode?: number;
  /** The reason that goes with the code. */
  reason?: string;
}

/** What {@linkcode fromWebSocketStream} takes: the part of a `WebSocketStream` that it uses. */
export interface WebSocketStreamLike {
  /** Fulfils with the streams of the connection once it is open. */
  readonly opened: Promise<{
    readonly readable: ReadableStream<unknown>;
    readonly writable: WritableStream<Message>;
  }>;
  /** Fulfils with how the connection was closed; rejects if it was cut off. */
  readonly closed: Promise<WebSocketStreamClose>;
  /** Closes the connection. */
  close(info?: WebSocketStreamClose): void;
}

/**
 * Makes an end of a `WebSocketStream`: of Chromium, and of Deno with `--unstable-net`, where it has
 * backpressure both ways. Chromium loses messages behind a slow reader: there all messages are read as they come,
 * and the end fails once 16 MiB wait unread.
 *
 * The WebSocket may still be connecting: if that fails, a read or a write fails. Text is read as UTF-8; what is
 * written is sent as binary messages. The end closes, and fails, as an end of {@linkcode fromWebSocket} does.
 *
 * @param stream The `WebSocketStream`, not its connection; it belongs to the end from here on.
 * @param options How much may wait unread, and how much is sent at once.
 * @returns A pair of streams that cannot half-close.
 * @throws {TypeError} If `stream` is no `WebSocketStream`, or there is an unknown option.
 * @throws {RangeError} If an option is no number of bytes: a positive safe integer.
 *
 * @example
 * ```ts ignore
 * import { fromWebSocketStream } from "@webstreams/join/websocket";
 *
 * const { readable, writable } = fromWebSocketStream(new WebSocketStream("wss://example.com/"));
 * ```
 */
export function fromWebSocketStream(
  stream: WebSocketStreamLike,
  options?: WebSocketOptions,
): Pair;
/**
 * Makes an end of messages of a `WebSocketStream`: each message is a chunk, and each chunk a message; see
 * {@linkcode fromWebSocket}.
 *
 * @param stream The `WebSocketStream`, not its connection; it belongs to the end from here on.
 * @param options How much may wait unread, and how large a message may be.
 * @returns A pair of streams of messages that cannot half-close.
 * @throws {TypeError} If `stream` is no `WebSocketStream`, or there is an unknown option.
 * @throws {RangeError} If an option is no number of bytes: a positive safe integer.
 */
export function fromWebSocketStream(
  stream: WebSocketStreamLike,
  options: WebSocketMessageOptions,
): MessagePair;
export function fromWebSocketStream(
  stream: WebSocketStreamLike,
  options?: WebSocketOptions | WebSocketMessageOptions,
): Pair | MessagePair {
  const { opened, closed } = Object(stream);
  if (!opened?.then || !closed?.then) {
    refuse(ACTION, "stream", "must be a WebSocketStream", stream);
  }
  const { End, settings } = readOptions(ACTION, {}, options);
  const end = new End(new StreamSocket(stream), false);
  end.configure(settings);
  return end;
}

const ACTION = "make an end of a WebSocketStream";

/**
 * Whether a reader can wait. Chromium 156 loses what a slow reader has left unread when the peer closes, and does not
 * report it (tests/e2e/websocket_stream_loss_test.ts): there messages must be read as they come.
 */
const CAN_PAUSE = "Deno" in globalThis;

/** What listens for the events of a {@linkcode StreamSocket}: an end. */
interface Listener {
  handleEvent(event: WebSocketEventLike): void;
}

/** A `WebSocketStream` as a WebSocket with events. */
class StreamSocket implements WebSocketLike {
  readyState = 0;
  bufferedAmount = 0;
  readonly #stream: WebSocketStreamLike;
  #listener?: Listener;
  #writer?: WritableStreamDefaultWriter<Message>;
  /** Pending while the reading is paused. */
  #paused?: Promise<void>;
  #endPause?: () => void;

  constructor(stream: WebSocketStreamLike) {
    this.#stream = stream;
    this.#readAll().catch((error) => this.#fail(error));
    stream.closed.catch((error) => this.#fail(error));
  }

  /** There is one listener, for all events. */
  addEventListener(_: string, listener: Listener): void {
    this.#listener = listener;
  }

  send(message: Message): void {
    const { length } = message;
    this.bufferedAmount += length;
    this.#writer!.write(message).then(() => {
      this.bufferedAmount -= length;
      this.#tell({ type: "drain" });
    }, () => this.readyState = 3);
  }

  close(closeCode?: number, reason?: string): void {
    this.#stream.close({ closeCode, reason });
  }

  pause(): void {
    if (CAN_PAUSE) this.#paused = new Promise((resolve) => this.#endPause = resolve);
  }

  resume(): void {
    this.#paused = undefined;
    this.#endPause?.();
  }

  async #readAll(): Promise<void> {
    const { readable, writable } = await this.#stream.opened;
    this.#writer = writable.getWriter();
    this.readyState = 1;
    this.#tell({ type: "open" });
    for await (const data of readable) {
      this.#tell({ type: "message", data });
      await this.#paused;
    }
    const { closeCode: code = 1005, reason } = await this.#stream.closed;
    this.#tell({ type: "close", code, reason, wasClean: true });
  }

  #fail(error: WebSocketStreamClose): void {
    this.#tell({ type: "close", code: error.closeCode, reason: error.reason, error });
  }

  #tell(event: WebSocketEventLike): void {
    this.#listener!.handleEvent(event);
  }
}
