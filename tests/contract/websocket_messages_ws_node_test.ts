// @ts-types="../peer/wires/ws.d.ts"
import { WebSocket } from "ws";
import type { End } from "@webstreams/join";
import { fromWebSocket, type WebSocketLike } from "@webstreams/join/websocket";
import { capabilitiesOf, contract } from "./suite.ts";
import { listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { untyped } from "../support/untyped.ts";
import { closeCodes } from "../support/websocket.ts";

const adapter = "fromWebSocket, messages, ws";

contract(adapter, capabilitiesOf(adapter, platform), async (far) => {
  const peer = await listen("websocket", far);
  const socket = new WebSocket(peer.address.url, { perMessageDeflate: false });
  const end = fromWebSocket(untyped<WebSocketLike>(socket), { messages: true });
  return { end: untyped<End>(end), peer };
}, closeCodes);
