/**
 * A reverse proxy for WebSockets, on Bun:
 *
 *     bun websocket_proxy_bun.js 8080 ws://127.0.0.1:9001
 *
 * @module
 */
declare const Bun: { readonly argv: string[]; serve(options: Serving): { readonly port: number } };
/** As Bun has it. */
declare const WebSocket: new (
  url: string,
  options: { protocols: string[]; headers: Record<string, string> },
) => globalThis.WebSocket;

import { join, type MessagePair } from "@webstreams/join";
import {
  fromWebSocket,
  type WebSocketHandlers,
  webSocketHandlers,
  type WebSocketLike,
} from "@webstreams/join/websocket";
import { forwarded, protocolsOf } from "./websocket_proxy_request.ts";

const [port, target] = Bun.argv.slice(2);

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  async fetch(request, server) {
    const { headers, signal } = request;
    if (headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response("Only for WebSockets", { status: 426 });
    }
    const { pathname, search } = new URL(request.url);
    const dialled = new WebSocket(target + pathname + search, {
      protocols: protocolsOf(headers.get("sec-websocket-protocol")),
      headers: forwarded(headers, server.requestIP(request)?.address),
    });
    const upstream = fromWebSocket(dialled, { messages: true }); // At once: it keeps what comes meanwhile.
    const leave = () => dialled.close();
    signal.addEventListener("abort", leave); // By a client that leaves.
    try {
      // First, as it is the target that chooses the subprotocol, or refuses.
      if (!await opened(dialled)) {
        return new Response("The target has not answered", { status: 502 });
      }
      const chosen = dialled.protocol ? { "Sec-WebSocket-Protocol": dialled.protocol } : undefined;
      if (server.upgrade(request, { headers: chosen, data: upstream })) return;
      dialled.close();
      return new Response("No proper handshake, or a client that has left", { status: 400 });
    } finally {
      signal.removeEventListener("abort", leave);
    }
  },
  websocket: {
    ...webSocketHandlers,
    open: (socket) =>
      join(fromWebSocket(socket, { messages: true, ping: 60_000 }), socket.data).then(
        ({ aToB, bToA }) => console.log(`${aToB.chunks} messages there, ${bToA.chunks} back`),
        (error) => console.error(error.message),
      ),
  },
});
console.log(`listening on ${server.port}`);

function opened(socket: globalThis.WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.addEventListener("open", () => resolve(true));
    socket.addEventListener("close", () => resolve(false));
  });
}

/** What is used of Bun's options, which `@types/bun` has as well. */
interface Serving {
  readonly hostname: string;
  readonly port: number;
  fetch(request: Request, server: Upgrading): Promise<Response | undefined>;
  readonly websocket: WebSocketHandlers & {
    open(socket: WebSocketLike & { readonly data: MessagePair }): Promise<void>;
  };
}

interface Upgrading {
  upgrade(
    request: Request,
    options: { readonly headers?: HeadersInit; readonly data: MessagePair },
  ): boolean;
  requestIP(request: Request): { readonly address: string } | null;
}
