import { createServer } from "node:http";
// @ts-types="../peer/wires/ws.d.ts"
import { WebSocket, WebSocketServer } from "ws";
import { fromWebSocket, type WebSocketLike } from "@webstreams/join/websocket";
import { capabilitiesOf, contract } from "./suite.ts";
import { dial, listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { untyped } from "../support/untyped.ts";
import { deferred } from "../support/async.ts";
import { closeCodes } from "../support/websocket.ts";

const capabilities = capabilitiesOf("fromWebSocket, ws", platform);

contract("fromWebSocket, client of ws", capabilities, async (options) => {
  const peer = await listen("websocket", options);
  const socket = new WebSocket(peer.address.url, { perMessageDeflate: false });
  return { end: fromWebSocket(untyped<WebSocketLike>(socket)), peer };
}, closeCodes);

contract("fromWebSocket, server of ws", capabilities, async (options) => {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { promise: accepted, resolve: accept } = deferred<WebSocket>();
  sockets.once("connection", accept);
  const { port } = server.address() as { port: number };
  const peer = await dial("websocket", { url: `ws://127.0.0.1:${port}` }, options);
  const socket = untyped<WebSocketLike>(await accepted);
  return { end: fromWebSocket(socket), peer, dispose: () => void server.close() };
}, closeCodes);
