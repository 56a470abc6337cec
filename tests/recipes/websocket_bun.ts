/**
 * Relays WebSockets to a Unix socket, on Bun:
 *
 *     bun websocket_bun.js 8080 /run/service.sock
 *
 * @module
 */
declare const Bun: Pick<Sockets, "connect"> & {
  readonly argv: string[];
  serve(options: Serving): { readonly port: number };
};

import { join } from "@webstreams/join";
import { type BunSocket, fromBunSocket, handlers } from "@webstreams/join/bun";
import {
  fromWebSocket,
  type WebSocketHandlers,
  webSocketHandlers,
  type WebSocketLike,
} from "@webstreams/join/websocket";
import type { Sockets } from "../tools/bun.ts";

const [port, unix] = Bun.argv.slice(2);

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  async fetch(request, server) {
    if (request.headers.get("upgrade") !== "websocket") {
      return new Response("Only for WebSockets", { status: 426 });
    }
    // First, so that a client is not upgraded in vain: if it fails, the answer is a 500.
    const upstream = await Bun.connect({ unix, allowHalfOpen: true, socket: handlers });
    if (server.upgrade(request, { data: upstream })) return;
    upstream.close();
    return new Response("No proper handshake, or a client that has left", { status: 400 });
  },
  websocket: {
    ...webSocketHandlers,
    open: (socket) =>
      // A WebSocket cannot be told that the server has ended, other than by its close.
      join(fromWebSocket(socket), fromBunSocket(socket.data), { halfCloseTimeout: 1000 }).then(
        ({ aToB, bToA }) => console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`),
        (error) => console.error(error.message),
      ),
  },
});
console.log(`listening on ${server.port}`);

/** What is used of Bun's options, which `@types/bun` has as well. */
interface Serving {
  readonly hostname: string;
  readonly port: number;
  fetch(request: Request, server: Upgrading): Promise<Response | undefined>;
  readonly websocket: WebSocketHandlers & {
    open(socket: WebSocketLike & { readonly data: BunSocket }): Promise<void>;
  };
}

interface Upgrading {
  upgrade(request: Request, options: { readonly data: BunSocket }): boolean;
}
