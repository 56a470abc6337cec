/**
 * Ends of WebSockets: a page's, those of Deno's, Bun's and Workers' servers and clients, Node's own and
 * the `ws` package's, and of `WebSocketStream`.
 *
 * A WebSocket cannot be half-closed: see `halfCloseTimeout` of `join`. Two of them that are joined are closed
 * as soon as one is.
 *
 * An end is of bytes, or with `messages: true` of messages: what relays a WebSocket to a WebSocket hands on
 * texts as texts, and each message whole. An end of messages is joined to another one alone.
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
import type { MessagePair, Pair } from "../../ends.ts";
import { refuse } from "../../check/refuse.ts";
import { EarlyEvents } from "./early.ts";
import type { WebSocketEnd } from "./end.ts";
import type { WebSocketLike } from "./like.ts";
import type { MessageEnd } from "./messages.ts";
import type { Pinging } from "./pings.ts";
import {
  type Kind,
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

/** What {@linkcode webSocketHandlers} is: the part of Bun's `WebSocketHandler` that an end needs. */
export interface WebSocketHandlers {
  /** A message has come. */
  message(socket: WebSocketLike, message: string | Uint8Array): void;
  /** There is room for more. */
  drain(socket: WebSocketLike): void;
  /** It is closed. */
  close(socket: WebSocketLike, code: number, reason: string): void;
  /** A ping has been answered. */
  pong(socket: WebSocketLike): void;
}

const { process } = globalThis as { process?: { versions: { undici?: string } } };

/** What is done, in the words of an error. */
const ACTION = "make an end of a WebSocket";

/** Where a Bun server's WebSocket keeps its end: its `data` is its owner's. */
const END = Symbol("end");

interface ServerSocket extends WebSocketLike, Pinging {
  [END]?: WebSocketEnd | MessageEnd | EarlyEvents;
}

/**
 * What {@linkcode fromWebSocket} needs of a Bun server: spread it into the `websocket` of `Bun.serve`. An
 * `open` of yours may be beside it.
 *
 * What comes before the end is asked for is kept, and the peer stopped if that is much.
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
  message: (socket, message) => heardBy(socket).onMessage(message),
  drain: (socket) => heardBy(socket).handleEvent({ type: "drain" }),
  close: (socket, code, reason) =>
    heardBy(socket).handleEvent({ type: "close", code, reason, wasClean: true }),
  pong: (socket) => heardBy(socket).handleEvent({ type: "pong" }),
};

/**
 * Makes an end of a WebSocket.
 *
 * It may still be connecting: if that fails, a read or a write does. What it sends before anyone reads is
 * kept, so this is to be called in the same turn as the WebSocket was made or accepted; a Worker's own is
 * accepted here. Text is read as UTF-8; what is written is sent as binary messages.
 *
 * A close with 1000, 1001 or no code is the end of file, any other a {@linkcode WebSocketCloseError}. Our own end
 * closes with 1000 once everything has been sent. A failed join cuts the WebSocket off where the platform
 * can (`terminate()`), else closes with 4000; if its reason is a {@linkcode WebSocketCloseError} with a code of
 * 3000 to 4999, it closes with that code and reason.
 *
 * @param socket The WebSocket; the end has it from here on.
 * @param options How much may wait, and be sent at once.
 * @returns A pair of streams; it cannot half-close.
 * @throws {TypeError} If it is no WebSocket, or is closing or closed.
 * @throws {RangeError} If an option is no number of bytes: a positive safe integer.
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
 * written is sent as one message, of the same kind; empty ones too. Nothing is split and nothing put together.
 *
 * A join of two such ends hands on how the one was closed to the other, with the reason, unless somebody has
 * asked for the streams of one:
 *
 * | the one                                  | closes the other with                                      | and the join |
 * | ---------------------------------------- | ---------------------------------------------------------- | ------------ |
 * | closed with 1000 or 1001                 | the same                                                   | fulfils      |
 * | closed without a code (1005)             | no code                                                    | fulfils      |
 * | closed with 1002, 1003, 1007-1014        | the same                                                   | rejects      |
 * | closed with 3000-4999                    | the same                                                   | rejects      |
 * | cut off, or never opened (1006, 1015)    | 1014, Bad Gateway                                          | rejects      |
 * | sent too large a message (told 1009), more than may wait (1008), or no pong (cut off) | 1011, Internal Error | rejects |
 * | ended, and is no WebSocket               | 1000, after `halfCloseTimeout`                             | fulfils      |
 * | failed, and is no WebSocket              | 1014 if its `reason` is `"reset"`, `"refused"`, `"unreachable"` or `"protocol"`, else 1011 | rejects |
 *
 * A limit, a timeout or an abort closes both with 1011, or with the code and the reason of a
 * {@linkcode WebSocketCloseError} that the signal aborts with. One that waits for its peer to take a megabyte
 * or more is cut off instead, where that can be done (`terminate()`), and one that does not answer a close after
 * a failure within half a second.
 *
 * What may be sent is what RFC 6455 lets an endpoint send, on Bun, in Workers, by `ws` and by Deno's server. A
 * page may say 1000 and 3000-4999 alone, and so may the clients of Deno and Node and a `WebSocketStream`: there
 * 1001 becomes 1000, and any other `code` is `code + 3000`, as 4011 for 1011. A reason is cut after 123 bytes of
 * UTF-8. Deno's client takes a 1014 for a connection that was cut off (2.9).
 *
 * @param socket The WebSocket; the end has it from here on.
 * @param options That it is of messages, how much may wait, how large one may be, and how often to ping.
 * @returns A pair of streams of messages; it cannot half-close.
 * @throws {TypeError} If it is no WebSocket, or is closing or closed, or has no such option.
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
  const { readyState, send, close, addEventListener, on, [END]: had }: ServerSocket = Object(
    socket,
  );
  if (typeof readyState === "string") {
    refuse(
      ACTION,
      "socket",
      "must be a WebSocket: see fromDataChannel() of '@webstreams/join/webrtc'",
      socket,
    );
  }
  const ended = readyState > 1 && !had?.unread;
  if (!send || !close || !(readyState >= 0) || ended) {
    refuse(ACTION, "socket", "must be a WebSocket that is open or connecting", socket);
  }
  const { Kind, set } = readOptions(ACTION, socket, options);
  if (had && !(had instanceof EarlyEvents) && !(had instanceof Kind)) {
    refuse(ACTION, "messages", "must be as it was before", options?.messages);
  }
  // The `ws` package, an event emitter, keeps what it is to send; Node's own keeps its length (undici 8),
  // which is 0 once a BYOB read has got the memory.
  const copies = !on && !process?.versions.undici;
  return set(addEventListener ? new Kind(socket, copies) : endOf(socket, Kind));
}

/** Of a Bun server's: it has one, for as long as it lives. */
function endOf(socket: ServerSocket, Kind: Kind): WebSocketEnd | MessageEnd {
  const had = socket[END];
  if (had && !(had instanceof EarlyEvents)) return had;
  const end = socket[END] = new Kind(socket, true);
  had?.pass(end);
  return end;
}

function heardBy(socket: ServerSocket): WebSocketEnd | MessageEnd | EarlyEvents {
  return socket[END] ??= new EarlyEvents(socket);
}
