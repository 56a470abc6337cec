import type { End } from "@webstreams/join";
import { fromWebSocketStream, type WebSocketStreamLike } from "@webstreams/join/websocket";
import { capabilitiesOf, contract } from "./suite.ts";
import { listen } from "../peer/client.ts";
import { turns } from "../support/async.ts";
import { platform } from "../support/environment.ts";
import { untyped } from "../support/untyped.ts";
import { almostBulk, closeCodes } from "../support/websocket.ts";

const { WebSocketStream } = globalThis as {
  WebSocketStream?: new (url: string) => WebSocketStreamLike;
};
const streamed = "fromWebSocketStream, messages";
contract(streamed, capabilitiesOf(streamed, platform), async (far) => {
  const peer = await listen("websocket", far);
  const stream = new WebSocketStream!(peer.address.url);
  if (platform === "deno") await stream.opened;
  const dispose = () => stream.closed.then(() => turns(), () => turns());
  return {
    end: untyped<End>(fromWebSocketStream(stream, { messages: true, ...almostBulk })),
    peer,
    dispose,
  };
}, closeCodes);
