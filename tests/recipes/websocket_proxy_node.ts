/**
 * A reverse proxy for WebSockets, on Node with the package `ws`:
 *
 *     node websocket_proxy_node.js 8080 ws://127.0.0.1:9001
 *
 * @module
 */
import { join } from "@webstreams/join";
import { fromWebSocket } from "@webstreams/join/websocket";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import process from "node:process";
// @ts-types="../peer/wires/ws.d.ts"
import { WebSocket, WebSocketServer } from "ws";
import { forwarded, protocolsOf } from "./websocket_proxy_request.ts";

const [port, target] = process.argv.slice(2);
const perMessageDeflate = false; // It would be undone, and done again.
const messages = { messages: true, ping: 60_000 } as const;

/** What the target has chosen for a client. */
const chosen = new WeakMap<IncomingMessage, string>();
const upgrader = new WebSocketServer({
  noServer: true,
  perMessageDeflate,
  handleProtocols: (_, request) => chosen.get(request) || false,
});
const server = createServer((_request, response) => {
  response.writeHead(426).end("Only for WebSockets");
});

server.on("upgrade", async (request: IncomingMessage, socket: Socket, head: Uint8Array) => {
  const headers = Object.entries(request.headers).map(([name, value]): [string, string] => {
    return [name, String(value)];
  });
  const dialled = new WebSocket(
    target + request.url,
    protocolsOf(request.headers["sec-websocket-protocol"]),
    { perMessageDeflate, headers: forwarded(headers, socket.remoteAddress) },
  );
  const upstream = fromWebSocket(dialled, messages); // At once: it keeps what comes meanwhile.
  const leave = () => dialled.terminate(); // A client has left.
  socket.on("error", () => {}).once("close", leave);
  try {
    // First, as it is the target that chooses the subprotocol, or refuses.
    await new Promise<void>((resolve, reject) =>
      dialled.once("open", resolve).once("error", reject)
    );
  } catch (error) {
    console.error((error as Error).message);
    socket.resume().end(
      "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    );
    // Not at once: closed on top of what still comes, it would reset, and the answer be lost.
    return void setTimeout(() => socket.destroy(), 1000);
  }
  chosen.set(request, dialled.protocol);
  // It answers what is no proper handshake by itself, and closes that.
  upgrader.handleUpgrade(request, socket, head, (client) => {
    socket.off("close", leave);
    join(fromWebSocket(client, messages), upstream).then(
      ({ aToB, bToA }) => console.log(`${aToB.chunks} messages there, ${bToA.chunks} back`),
      (error) => console.error(error.message),
    );
  });
});

server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
