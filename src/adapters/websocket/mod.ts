/**
 * Ends of WebSockets: those of pages, of the servers and clients of Deno, Bun and Workers, Node's own, those of the
 * `ws` package, and `WebSocketStream`.
 *
 * A WebSocket cannot half-close: see `halfCloseTimeout` of `join`. When two WebSockets are joined, both are closed as
 * soon as one is.
 *
 * An end is of bytes, or with `messages: true` of messages: a relay from WebSocket to WebSocket hands texts on as
 * texts, and each message whole. An end of messages can be joined to another end of messages alone.
 *
 * @example A server's WebSocket to TCP, on Deno
 * ```ts no-assert
 * import { join } from "@webstreams/join";
 * import { fromWebSocket } from "@webstreams/join/websocket";
 *
 * async function handler(request: Request): Promise<Response> {
 *   const { socket, response } = Deno.upgradeWebSocket(request);
 *   const client = fromWebSocket(socket);
 *   const server = await Deno.connect({ port: 5900 });
 *   join(client, server).then(
 *     ({ aToB, bToA }) => console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`),
 *     (error) => console.error(error.message),
 *   );
 *   return response;
 * }
 * ```
 *
 * @module
 */
import { refuse } from "../../check/refuse.ts";
import type { MessagePair, Pair } from "../../ends.ts";
import type { ByteEnd } from "./byte_end.ts";
import { EarlyEvents } from "./early.ts";
import type { WebSocketLike } from "./like.ts";
import type { MessageEnd } from "./message_end.ts";
import type { Pinging } from "./pings.ts";
import {
  type EndClass,
  readOptions,
  type WebSocketMessageOptions,
  type WebSocketOptions,
} from "./options.ts";

export { WebSocketCloseError, type WebSocketLike, type WebSocketListener } from "./like.ts";
export type { WebSocketBaseOptions, WebSocketMessageOptions, WebSocketOptions } from "./options.ts";
export {
  fromWebSocketStream,
  type WebSocketStreamClose,
  type WebSocketStreamLike,
} from "./stream.ts";

/** The type of {@linkcode webSocketHandlers}: the part of Bun's `WebSocketHandler` that an end needs. */
export interface WebSocketHandlers {
  /** A message has come. */
  message(socket: WebSocketLike, message: string | Uint8Array): void;
  /** There is room for more bytes to send. */
  drain(socket: WebSocketLike): void;
  /** The WebSocket is closed. */
  close(socket: WebSocketLike, code: number, reason: string): void;
  /** The peer has answered a ping. */
  pong(socket: WebSocketLike): void;
}

const { process } = globalThis as { process?: { versions: { undici?: string } } };

const ACTION = "make an end of a WebSocket";

/** Where a Bun server's WebSocket keeps its end: the WebSocket's `data` belongs to its owner. */
const END = Symbol("end");

interface ServerSocket extends WebSocketLike, Pinging {
  [END]?: ByteEnd | MessageEnd | EarlyEvents;
}

/**
 * What {@linkcode fromWebSocket} needs of a Bun server: spread it into the `websocket` of `Bun.serve`, beside an
 * `open` of your own.
 *
 * Messages that come before {@linkcode fromWebSocket} is called are kept; the peer is paused if they are many.
 *
 * @example A server's WebSocket to TCP, on Bun
 * ```ts ignore
 * import { join } from "@webstreams/join";
 * import { fromBunSocket, handlers } from "@webstreams/join/bun";
 * import { fromWebSocket, webSocketHandlers } from "@webstreams/join/websocket";
 *
 * Bun.serve({
 *   port: 8080,
 *   fetch: (request, server) =>
 *     server.upgrade(request) ? undefined : new Response("A WebSocket is expected", { status: 426 }),
 *   websocket: {
 *     ...webSocketHandlers,
 *     async open(socket) {
 *       const client = fromWebSocket(socket);
 *       const upstream = await Bun.connect({
 *         hostname: "127.0.0.1",
 *         port: 5900,
 *         allowHalfOpen: true,
 *         socket: handlers,
 *       });
 *       await join(client, fromBunSocket(upstream));
 *     },
 *   },
 * });
 * ```
 */
export const webSocketHandlers: WebSocketHandlers = {
  message: (socket, message) => listenerOf(socket).onMessage(message),
  drain: (socket) => listenerOf(socket).handleEvent({ type: "drain" }),
  close: (socket, code, reason) =>
    listenerOf(socket).handleEvent({ type: "close", code, reason, wasClean: true }),
  pong: (socket) => listenerOf(socket).handleEvent({ type: "pong" }),
};

/**
 * Makes an end of a WebSocket.
 *
 * The WebSocket may still be connecting: if that fails, a read or a write fails. Messages that come before anybody
 * reads are kept from this call on. So call it in the turn in which the WebSocket was made or accepted; a Worker's own
 * WebSocket is accepted by this call. Text is read as UTF-8; what is written is sent as binary messages.
 *
 * A close with 1000, 1001 or no code is the end of file, any other close a {@linkcode WebSocketCloseError}. Our own
 * end of file closes the WebSocket with 1000 once everything has been sent. A failed join cuts the WebSocket off where
 * the platform can (`terminate()`), and else closes it with 4000; if the reason of the failure is a
 * {@linkcode WebSocketCloseError} with a code of 3000 to 4999, it closes the WebSocket with that code and reason.
 *
 * @param socket The WebSocket, which belongs to the end from here on.
 * @param options How much may wait unread, how much is sent at once, and how often to ping.
 * @returns A pair of streams that cannot half-close.
 * @throws {TypeError} If `socket` is no WebSocket, or is closing or closed, or there is an unknown option.
 * @throws {RangeError} If an option is out of range.
 *
 * @example
 * ```ts
 * import { fromWebSocket } from "@webstreams/join/websocket";
 * import { assertEquals } from "@std/assert";
 *
 * const server = Deno.serve({ port: 0, onListen: () => {} }, (request) => {
 *   const { socket, response } = Deno.upgradeWebSocket(request);
 *   socket.onopen = () => {
 *     socket.send("hello");
 *     socket.close(1000);
 *   };
 *   return response;
 * });
 *
 * const { readable } = fromWebSocket(new WebSocket(`ws://localhost:${server.addr.port}`));
 * assertEquals(await new Response(readable).text(), "hello");
 * await server.shutdown();
 * ```
 */
export function fromWebSocket(socket: WebSocketLike, options?: WebSocketOptions): Pair;
/**
 * Makes an end of messages: each message is a chunk, a `string` or a `Uint8Array`, and each chunk that is
 * written is sent as one message, of the same type; empty messages too. Nothing is split or put together.
 *
 * A join of two such ends closes either WebSocket as the other was closed, with its reason, unless somebody has asked
 * for the streams of an end:
 *
 * | one end                                  | the other is closed with                                   | and the join |
 * | ---------------------------------------- | ---------------------------------------------------------- | ------------ |
 * | closed with 1000 or 1001                 | that code                                                  | fulfils      |
 * | closed without a code (1005)             | no code                                                    | fulfils      |
 * | closed with 1002, 1003, 1007-1014        | that code                                                  | rejects      |
 * | closed with 3000-4999                    | that code                                                  | rejects      |
 * | cut off, or never opened (1006, 1015)    | 1014, Bad Gateway                                          | rejects      |
 * | sent too large a message (told 1009), more than may wait (1008), or no pong (cut off) | 1011, Internal Error | rejects |
 * | ended, and is no WebSocket               | 1000, after `halfCloseTimeout`                             | fulfils      |
 * | failed, and is no WebSocket              | 1014 if its `reason` is `"reset"`, `"refused"`, `"unreachable"` or `"protocol"`, else 1011 | rejects |
 *
 * A limit, a timeout or an abort closes both with 1011, or with the code and the reason of a
 * {@linkcode WebSocketCloseError} that the signal aborts with. A WebSocket whose peer does not take what was sent, a
 * megabyte or more, is cut off instead where the platform can (`terminate()`), and so is a WebSocket whose peer does
 * not answer a close after a failure within half a second.
 *
 * Bun, Workers, `ws` and Deno's server may send every code that RFC 6455 lets an endpoint send. Pages, the clients of
 * Deno and Node, and a `WebSocketStream` may send 1000 and 3000-4999 alone: there 1001 becomes 1000, and any other
 * `code` becomes `code + 3000`, as 4011 for 1011. A reason is cut after 123 bytes of UTF-8. Deno's client takes a 1014
 * for a connection that was cut off (2.9).
 *
 * @param socket The WebSocket, which belongs to the end from here on.
 * @param options That the end is of messages, how much may wait unread, how large a message may be, and how often to
 * ping.
 * @returns A pair of streams of messages that cannot half-close.
 * @throws {TypeError} If `socket` is no WebSocket, or is closing or closed, or there is an unknown option.
 * @throws {RangeError} If an option is out of range.
 *
 * @example A proxy
 * ```ts
 * import { join } from "@webstreams/join";
 * import { fromWebSocket } from "@webstreams/join/websocket";
 * import { assertEquals } from "@std/assert";
 *
 * const options = { port: 0, onListen: () => {} };
 * const target = Deno.serve(options, (request) => {
 *   const { socket, response } = Deno.upgradeWebSocket(request);
 *   socket.onmessage = ({ data }) => {
 *     socket.send(`You said ${data}`);
 *     socket.close(4321, "that is all");
 *   };
 *   return response;
 * });
 * const proxy = Deno.serve(options, (request) => {
 *   const { socket, response } = Deno.upgradeWebSocket(request);
 *   const upstream = new WebSocket(`ws://localhost:${target.addr.port}`);
 *   join(
 *     fromWebSocket(socket, { messages: true }),
 *     fromWebSocket(upstream, { messages: true }),
 *   ).catch((error) => assertEquals(error.cause.code, 4321));
 *   return response;
 * });
 *
 * const client = new WebSocket(`ws://localhost:${proxy.addr.port}`);
 * client.onopen = () => client.send("hello");
 * client.onmessage = ({ data }) => assertEquals(data, "You said hello");
 * const close = await new Promise<CloseEvent>((resolve) => client.onclose = resolve);
 * assertEquals([close.code, close.reason], [4321, "that is all"]);
 * await Promise.all([proxy.shutdown(), target.shutdown()]);
 * ```
 */
export function fromWebSocket(
  socket: WebSocketLike,
  options: WebSocketMessageOptions,
): MessagePair;
export function fromWebSocket(
  socket: ServerSocket,
  options?: WebSocketOptions | WebSocketMessageOptions,
): Pair | MessagePair {
  const given: ServerSocket = Object(socket);
  const { readyState, send, close, addEventListener, on, [END]: known } = given;
  if (typeof readyState === "string") {
    refuse(
      ACTION,
      "socket",
      "must be a WebSocket: see fromDataChannel() of '@webstreams/join/webrtc'",
      socket,
    );
  }
  const isOver = readyState > 1 && !known?.unreadBytes;
  if (!send || !close || !(readyState >= 0) || isOver) {
    refuse(ACTION, "socket", "must be a WebSocket that is open or connecting", socket);
  }
  const { End, settings } = readOptions(ACTION, socket, options);
  if (known && !(known instanceof EarlyEvents) && !(known instanceof End)) {
    refuse(ACTION, "messages", "must be what it was in the first call", options?.messages);
  }
  // The `ws` package, an event emitter, keeps what it is to send; Node's own WebSocket keeps the length (undici 8),
  // which is 0 once the memory has been transferred to a BYOB read.
  const copies = !on && !process?.versions.undici;
  const end = addEventListener ? new End(socket, copies) : endOf(socket, End);
  end.configure(settings);
  return end;
}

/** The end that a Bun server's WebSocket has, or else a new end, which is told all that has come. */
function endOf(socket: ServerSocket, End: EndClass): ByteEnd | MessageEnd {
  const known = socket[END];
  if (known && !(known instanceof EarlyEvents)) return known;
  const end = socket[END] = new End(socket, true);
  known?.passTo(end);
  return end;
}

/** What the handlers pass events to. */
function listenerOf(socket: ServerSocket): ByteEnd | MessageEnd | EarlyEvents {
  return socket[END] ??= new EarlyEvents(socket);
}
