import { fromWebSocket } from "@webstreams/join/websocket";
import { capabilitiesOf, contract } from "./suite.ts";
import { listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { almostBulk, closeCodes } from "../support/websocket.ts";

contract("fromWebSocket", capabilitiesOf("fromWebSocket", platform), async (options) => {
  const peer = await listen("websocket", options);
  return { end: fromWebSocket(new WebSocket(peer.address.url), almostBulk), peer };
}, closeCodes);
