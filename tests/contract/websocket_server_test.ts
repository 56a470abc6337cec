import { fromWebSocket } from "@webstreams/join/websocket";
import { capabilitiesOf, contract } from "./suite.ts";
import { dial } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { almostBulk, closeCodes, serveWebSocket } from "../support/websocket.ts";

const role = "fromWebSocket, server";
contract(role, capabilitiesOf("fromWebSocket", `${platform} server`), async (options) => {
  const server = await serveWebSocket((socket) => fromWebSocket(socket, almostBulk));
  const peer = await dial("websocket", { url: server.url }, options);
  return { end: await server.accepted, peer, dispose: () => server.close() };
}, closeCodes);
