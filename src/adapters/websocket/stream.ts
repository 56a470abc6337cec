// Public: `fromWebSocketStream()`.

import type { Message, MessagePair, Pair } from "../../ends.ts";
import { refuse } from "../../check/refuse.ts";
import type { WebSocketEventLike, WebSocketLike } from "./like.ts";
import { readOptions, type WebSocketMessageOptions, type WebSocketOptions } from "./options.ts";

/** How a `WebSocketStream` was closed, or is to be. */
export interface WebSocketStreamClose {
  /** The code. */
  closeCode?: number;
  /** The reason that goes with it. */
  reason?: string;
}

/** What {@linkcode fromWebSocketStream} takes: the part of a `WebSocketStream` that it uses. */
export interface WebSocketStreamLike {
  /** Fulfils with its streams once it is connected. */
  readonly opened: Promise<{
    readonly readable: ReadableStream<unknown>;
    readonly writable: WritableStream<Message>;
  }>;
  /** Fulfils with how it was closed; rejects if it was cut off. */
  readonly closed: Promise<WebSocketStreamClose>;
  /** Closes it. */
  close(info?: WebSocketStreamClose): void;
}

/**
 * Makes an end of a `WebSocketStream`: of Chromium, and of Deno with `--unstable-net`, where it has
 * backpressure both ways. Chromium loses messages behind a slow reader: there they are read as they come,
 * and the end fails once 16 MiB wait unread.
 *
 * It may still be connecting: if that fails, a read or a write does. Text is read as UTF-8; what is
 * written is sent as binary messages. It closes, and fails, as told of {@linkcode fromWebSocket}.
 *
 * @param stream The `WebSocketStream`, not its connection; the end has it from here on.
 * @param options How much may wait, and be sent at once.
 * @returns A pair of streams; it cannot half-close.
 * @throws {TypeError} If it is no `WebSocketStream`, or has no such option.
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
 * The same for messages: each is a chunk, and each chunk a message; see {@linkcode fromWebSocket}.
 *
 * @param stream The `WebSocketStream`, not its connection; the end has it from here on.
 * @param options How much may wait, and come at once.
 * @returns A pair of streams; it cannot half-close.
 * @throws {TypeError} If it is no `WebSocketStream`, or has no such option.
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
  const { Kind, set } = readOptions(ACTION, {}, options);
  return set(new Kind(socketOf(stream), false));
}

const ACTION = "make an end of a WebSocketStream";

/**
 * Chromium 156 loses what a slow reader has left, and says nothing of it, when the peer closes
 * (tests/e2e/websocket_stream_loss_test.ts): there it must be read as it comes.
 */
const canPause = "Deno" in globalThis;

interface Listener {
  handleEvent(event: WebSocketEventLike): void;
}

/** What a plain WebSocket is, over a `WebSocketStream`. */
function socketOf(stream: WebSocketStreamLike): WebSocketLike {
  let listener: Listener;
  let writer: WritableStreamDefaultWriter<Message>;
  let held: Promise<void> | undefined;
  let release = () => {};
  const tell = (event: WebSocketEventLike) => listener.handleEvent(event);
  const fail = (error: WebSocketStreamClose) =>
    tell({ type: "close", code: error.closeCode, reason: error.reason, error });
  const socket = {
    readyState: 0,
    bufferedAmount: 0,
    addEventListener(_: string, end: Listener) {
      listener = end;
    },
    send(message: Message) {
      const { length } = message;
      socket.bufferedAmount += length;
      writer.write(message).then(() => {
        socket.bufferedAmount -= length;
        tell({ type: "drain" });
      }, () => socket.readyState = 3);
    },
    close(closeCode?: number, reason?: string) {
      stream.close({ closeCode, reason });
    },
    pause() {
      if (canPause) held = new Promise((resolve) => release = resolve);
    },
    resume() {
      held = undefined;
      release();
    },
  };
  stream.opened.then(async ({ readable, writable }) => {
    writer = writable.getWriter();
    socket.readyState = 1;
    tell({ type: "open" });
    for await (const data of readable) {
      tell({ type: "message", data });
      await held;
    }
    const { closeCode: code = 1005, reason } = await stream.closed;
    tell({ type: "close", code, reason, wasClean: true });
  }).catch(fail);
  stream.closed.catch(fail);
  return socket;
}
