/**
 * A Worker that relays: WebSocket in, TCP out, to the `TARGET` (`host:port`) of its environment.
 *
 * @module
 */
import { join } from "@webstreams/join";
import { fromWebSocket } from "@webstreams/join/websocket";
// @ts-types="./cloudflare.d.ts"
import { connect } from "cloudflare:sockets";

export default {
  fetch(request: Request, { TARGET }: { TARGET: string }): Response {
    if (request.headers.get("Upgrade") !== "websocket") {
      return new Response("Only for WebSockets", { status: 426 });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    const upstream = connect(TARGET, { allowHalfOpen: true });
    // A WebSocket cannot be told that the server has ended, other than by its close.
    join(fromWebSocket(server), upstream, { halfCloseTimeout: 1000 }).then(
      ({ aToB, bToA }) => console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`),
      (error) => console.log(error.message),
    );
    return new Response(null, { status: 101, webSocket: client });
  },
};
