import { fromWebSocket } from "@webstreams/join/websocket";
import { capabilitiesOf, contract } from "./suite.ts";
import { listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { almostBulk, closeCodes, openedWebSocket } from "../support/websocket.ts";

contract("fromWebSocket", capabilitiesOf("fromWebSocket", platform), async (options) => {
  const peer = await listen("websocket", options);
  const wrap = (socket: WebSocket) => fromWebSocket(socket, almostBulk);
  return { end: await openedWebSocket(peer.address.url, wrap), peer };
}, closeCodes);
