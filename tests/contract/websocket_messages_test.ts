import type { End } from "@webstreams/join";
import { fromWebSocket } from "@webstreams/join/websocket";
import { capabilitiesOf, contract } from "./suite.ts";
import { dial, listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { untyped } from "../support/untyped.ts";
import { almostBulk, closeCodes, openedWebSocket, serveWebSocket } from "../support/websocket.ts";

const adapter = "fromWebSocket, messages";
const options = { messages: true, ...almostBulk } as const;

contract(adapter, capabilitiesOf(adapter, platform), async (far) => {
  const peer = await listen("websocket", far);
  const wrap = (socket: WebSocket) => fromWebSocket(socket, options);
  const end = await openedWebSocket(peer.address.url, wrap);
  return { end: untyped<End>(end), peer };
}, closeCodes);

const server = capabilitiesOf(adapter, `${platform} server`);
contract(`${adapter}, server`, server, async (far) => {
  const server = await serveWebSocket((socket) => fromWebSocket(socket, options));
  const peer = await dial("websocket", { url: server.url }, far);
  return { end: untyped<End>(await server.accepted), peer, dispose: () => server.close() };
}, closeCodes);
