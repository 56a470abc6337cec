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
import { assertNodeDuplex, type NodeDuplex, type NodeReadOptions } from "./duplex.ts";
import { NodeEnd } from "./end.ts";

export type { NodeDuplex, NodeReadOptions } from "./duplex.ts";
export * from "./streams.ts";

const ACTION = "make an end of a Node socket";

/**
 * Makes an end of a `net.Socket`, a `tls.TLSSocket` or any other `stream.Duplex` of bytes.
 *
 * The socket's own data path is used, no `toWeb`. It may still be connecting: a refusal shows as a
 * failed read. It is made half-open (`allowHalfOpen`); an accepted socket of a server should be so from
 * its start, as what it sends after an early end of its peer's is lost otherwise. Small writes do not
 * wait for each other (`setNoDelay(true)`): who wants that calls `socket.setNoDelay(false)` afterwards.
 * A failed join resets the connection (`resetAndDestroy()`) where the socket can, a stream of `node:http2`
 * with INTERNAL_ERROR, and else destroys it.
 *
 * On Deno 2.9 a write over TCP that waits fails with EPIPE if the peer ends its writing before it has sent
 * a byte: there a `Deno.Conn` is the better end.
 *
 * A WebSocket of the `ws` package goes through `fromWebSocket`: what its `createWebSocketStream` makes of it
 * takes nothing more once the peer has closed, and cannot say so.
 *
 * @param socket The socket; the end has it from here on.
 * @returns A pair of streams, half-closing.
 * @throws {TypeError} If it is no Node stream, is one of `createWebSocketStream`, is destroyed, or does not
 * yield bytes.
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
 * Connects a socket, and makes an end of it that reads into memory which it uses again (`onread`): what
 * it receives takes less CPU than with {@linkcode fromNodeSocket}, a twentieth to a quarter. That is so on
 * Node; elsewhere it is the same. Node has no such thing for sockets that a server accepts. The socket
 * emits no `data`, for good.
 *
 * @typeParam Options The options of a connection.
 * @param connect `connect` of `node:net` or `node:tls`.
 * @param options Its options: host and port, or path, and so on. `noDelay` is `true` unless given.
 * @returns A pair of streams, as of {@linkcode fromNodeSocket}. A refusal shows as a failed read.
 * @throws {TypeError} If `connect` is no function, or gives no Node stream; and what it throws itself.
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
