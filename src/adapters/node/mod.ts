/**
 * Ends of Node's streams: `net.Socket`, `tls.TLSSocket` and any other `stream.Duplex`, on Node, and
 * where Deno and Bun have them.
 *
 * @example A TCP relay on Node
 * ```ts no-assert
 * import { connect, createServer } from "node:net";
 * import { join } from "@webstreams/join";
 * import { connectNodeSocket, fromNodeSocket } from "@webstreams/join/node";
 *
 * createServer({ allowHalfOpen: true }, async (client) => {
 *   const upstream = connectNodeSocket(connect, { port: 9001 });
 *   const { aToB, bToA } = await join(fromNodeSocket(client), upstream);
 *   console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
 * });
 * ```
 *
 * @module
 */
import type { Pair } from "../../ends.ts";
import { refuse } from "../../check/refuse.ts";
import { assertNodeDuplex } from "./duplex.ts";
import { NodeEnd } from "./end.ts";
import type { NodeDuplex, NodeReadOptions } from "./like.ts";

export type { NodeDuplex, NodeReadable, NodeReadOptions, NodeWritable } from "./like.ts";
export { fromNodeReadable, fromNodeWritable } from "./streams.ts";

const ACTION = "make an end of a Node socket";

/**
 * Makes an end of a `net.Socket`, a `tls.TLSSocket` or any other `stream.Duplex` of bytes.
 *
 * The socket is used by its own events and `write()`, without `toWeb`. It may still be connecting: a refusal shows
 * as a failed read. The socket is made half-open (`allowHalfOpen`); a server must make the sockets that it accepts
 * half-open itself, as otherwise a socket whose peer ends early loses what is still to be sent. Nagle's algorithm is
 * turned off, so that small writes do not wait for each other; `socket.setNoDelay(false)` afterwards turns it on. A
 * failed join resets the connection where the socket can (`resetAndDestroy()`), closes a stream of `node:http2` with
 * INTERNAL_ERROR, and destroys any other stream.
 *
 * On Deno 2.9, a pending write over TCP fails with EPIPE if the peer ends its writing before it has sent a byte:
 * there a `Deno.Conn` is the better end.
 *
 * A WebSocket of the `ws` package goes through `fromWebSocket`: the stream that `createWebSocketStream` makes of a
 * WebSocket takes no bytes once the peer has closed, and cannot say so.
 *
 * @param socket The socket, which belongs to the end from here on.
 * @returns A pair of streams that can half-close. Each call with the same socket gives the same pair.
 * @throws {TypeError} If `socket` is no Node stream, is a stream of `createWebSocketStream`, is destroyed, or does
 * not yield bytes.
 *
 * @example
 * ```ts
 * import { connect, createServer } from "node:net";
 * import { fromNodeSocket } from "@webstreams/join/node";
 * import { assertEquals } from "@std/assert";
 *
 * const server = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
 * await new Promise((resolve) => server.once("listening", resolve));
 * const { port } = server.address() as { port: number };
 *
 * const { readable, writable } = fromNodeSocket(connect(port, "127.0.0.1"));
 * assertEquals(await new Response(readable).text(), "hello");
 * await writable.close();
 * server.close();
 * ```
 */
export function fromNodeSocket(socket: NodeDuplex): Pair {
  assertNodeDuplex(ACTION, socket);
  if (socket.destroyed) refuse(ACTION, "socket", "must not be destroyed", socket);
  return NodeEnd.of(socket);
}

/**
 * Connects a socket that reads into memory which is used again (`onread`), and makes an end of the socket. On Node,
 * receiving takes a twentieth to a quarter less CPU time than with {@linkcode fromNodeSocket}; on Deno and Bun there
 * is no difference. Node cannot do this for sockets that a server accepts. The socket never emits `data`.
 *
 * @typeParam Options The options of a connection.
 * @param connect `connect` of `node:net` or `node:tls`.
 * @param options The options of `connect`, as host and port, or path. `noDelay` is `true` unless given.
 * @returns A pair of streams, as of {@linkcode fromNodeSocket}. A refusal shows as a failed read.
 * @throws {TypeError} If `connect` is no function, or returns no Node stream; and whatever `connect` throws.
 *
 * @example
 * ```ts
 * import { connect, createServer } from "node:net";
 * import { connectNodeSocket } from "@webstreams/join/node";
 * import { assertEquals } from "@std/assert";
 *
 * const server = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
 * await new Promise((resolve) => server.once("listening", resolve));
 * const { port } = server.address() as { port: number };
 *
 * const { readable, writable } = connectNodeSocket(connect, { port, host: "127.0.0.1" });
 * assertEquals(await new Response(readable).text(), "hello");
 * await writable.close();
 * server.close();
 * ```
 */
export function connectNodeSocket<Options extends object>(
  connect: (options: Options & NodeReadOptions) => NodeDuplex,
  options: Options,
): Pair {
  if (typeof connect !== "function") refuse("connect", "connect", "must be a function", connect);
  return NodeEnd.connect(ACTION, connect, options);
}
