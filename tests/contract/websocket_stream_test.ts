import { fromWebSocketStream, type WebSocketStreamLike } from "@webstreams/join/websocket";
import { capabilitiesOf, contract } from "./suite.ts";
import { listen } from "../peer/client.ts";
import { turns } from "../support/async.ts";
import { platform } from "../support/environment.ts";
import { closeCodes } from "../support/websocket.ts";

const { WebSocketStream } = globalThis as {
  WebSocketStream?: new (url: string) => WebSocketStreamLike;
};

contract(
  "fromWebSocketStream",
  capabilitiesOf("fromWebSocketStream", platform),
  async (options) => {
    const peer = await listen("websocket", options);
    const stream = new WebSocketStream!(peer.address.url);
    // Closed while it connects, Deno's is gone only some time after it has said so.
    if (platform === "deno") await stream.opened;
    // It has a timer of its own after a close.
    const dispose = () => stream.closed.then(() => turns(), () => turns());
    return { end: fromWebSocketStream(stream), peer, dispose };
  },
  closeCodes,
);
