/**
 * Ends of Bun's own sockets, those of `Bun.listen` and `Bun.connect`, over TCP, Unix sockets and TLS; and streams
 * that write to Bun's files and child processes, by {@linkcode fromBunSink}.
 *
 * Bun reports the events of a socket to the handlers that the socket was made with. So an end needs two things: the
 * {@linkcode handlers} of this module, and {@linkcode fromBunSocket}. A socket of `node:net` goes through
 * `@webstreams/join/node`.
 *
 * @example A TCP relay on Bun
 * ```ts ignore
 * import { join } from "@webstreams/join";
 * import { fromBunSocket, handlers } from "@webstreams/join/bun";
 *
 * Bun.listen({
 *   hostname: "127.0.0.1",
 *   port: 9000,
 *   allowHalfOpen: true,
 *   socket: {
 *     ...handlers,
 *     async open(socket) {
 *       const client = fromBunSocket(socket);
 *       const upstream = await Bun.connect({
 *         hostname: "127.0.0.1",
 *         port: 9001,
 *         allowHalfOpen: true,
 *         socket: handlers,
 *       });
 *       const { aToB, bToA } = await join(client, fromBunSocket(upstream));
 *       console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
 *     },
 *   },
 * });
 * ```
 *
 * @module
 */
import type { Pair } from "../../ends.ts";
import { refuse } from "../../check/refuse.ts";
import { BunEnd } from "./end.ts";
import type { BunHandlers, BunSocket } from "./like.ts";

export type { BunHandlers, BunSink, BunSocket } from "./like.ts";
export { fromBunSink } from "./sink.ts";

const ACTION = "make an end of a Bun socket";

/**
 * The handlers that an end relies on. Pass them to `Bun.listen` or `Bun.connect` as they are, or spread them into
 * handlers of your own, which may add `open`, `handshake`, `error` and the like.
 *
 * Bytes that come before {@linkcode fromBunSocket} is called are kept: up to a few hundred KiB in memory. The socket
 * is paused then, and the rest waits at the peer.
 */
export const handlers: BunHandlers = {
  binaryType: "uint8array",
  data: (socket, bytes) => BunEnd.of(socket).onSocketData(bytes),
  drain: (socket) => BunEnd.existing(socket)?.onSocketDrain(),
  end: (socket) => BunEnd.of(socket).onSocketEnd(),
  close: (socket, error) =>
    (error ? BunEnd.of(socket) : BunEnd.existing(socket))?.onSocketClose(error),
};

/**
 * Makes an end of a socket of `Bun.listen` or `Bun.connect` that was made with {@linkcode handlers}.
 *
 * Make the socket with `allowHalfOpen: true` as well: otherwise Bun closes a socket whose peer has ended, and
 * what is still to be written to it fails. A failed join resets the connection. Small writes do not wait for each
 * other, as Bun turns Nagle's algorithm off for all of its sockets; `socket.setNoDelay(false)` turns it on.
 *
 * @param socket The socket, which belongs to the end from here on.
 * @returns A pair of streams that can half-close. Each call with the same socket gives the same pair.
 * @throws {TypeError} If `socket` is no Bun socket, or has been closed and has nothing left to read.
 *
 * @example
 * ```ts ignore
 * import { fromBunSocket, handlers } from "@webstreams/join/bun";
 *
 * const server = Bun.listen({
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   socket: { open: (socket) => void socket.end("hello") },
 * });
 * const socket = await Bun.connect({
 *   hostname: "127.0.0.1",
 *   port: server.port,
 *   allowHalfOpen: true,
 *   socket: handlers,
 * });
 *
 * const { readable, writable } = fromBunSocket(socket);
 * console.log(await new Response(readable).text()); // hello
 * await writable.close();
 * server.stop();
 * ```
 */
export function fromBunSocket(socket: BunSocket): Pair {
  if (
    typeof socket?.write !== "function" || typeof socket.shutdown !== "function" ||
    typeof socket.terminate !== "function" || typeof socket.resume !== "function"
  ) {
    refuse(ACTION, "socket", "must be one of Bun.listen() or Bun.connect()", socket);
  }
  const { readyState } = socket;
  if ((readyState === 0 || readyState === -1) && !BunEnd.existing(socket)) {
    refuse(ACTION, "socket", "must not be closed", socket);
  }
  return BunEnd.of(socket).claim();
}
