import type { End } from "@webstreams/join";
import {
  fromWebSocket,
  fromWebSocketStream,
  type WebSocketStreamLike,
} from "@webstreams/join/websocket";
import { capabilitiesOf, contract } from "./contract.ts";
import { dial, listen } from "./peer/client.ts";
import { turns } from "./support/async.ts";
import { platform } from "./support/environment.ts";
import { untyped } from "./support/untyped.ts";
import { almostBulk, closeCodes, serveWebSocket } from "./support/websocket.ts";

const adapter = "fromWebSocket, messages";
const options = { messages: true, ...almostBulk } as const;

contract(adapter, capabilitiesOf(adapter, platform), async (far) => {
  const peer = await listen("websocket", far);
  const end = fromWebSocket(new WebSocket(peer.address.url), options);
  return { end: untyped<End>(end), peer };
}, closeCodes);

const server = capabilitiesOf(adapter, `${platform} server`);
contract(`${adapter}, server`, server, async (far) => {
  const server = await serveWebSocket((socket) => fromWebSocket(socket, options));
  const peer = await dial("websocket", { url: server.url }, far);
  return { end: untyped<End>(await server.accepted), peer, dispose: () => server.close() };
}, closeCodes);

const { WebSocketStream } = globalThis as {
  WebSocketStream?: new (url: string) => WebSocketStreamLike;
};
const streamed = "fromWebSocketStream, messages";
contract(streamed, capabilitiesOf(streamed, platform), async (far) => {
  const peer = await listen("websocket", far);
  const stream = new WebSocketStream!(peer.address.url);
  if (platform === "deno") await stream.opened;
  const dispose = () => stream.closed.then(() => turns(), () => turns());
  return { end: untyped<End>(fromWebSocketStream(stream, options)), peer, dispose };
}, closeCodes);
