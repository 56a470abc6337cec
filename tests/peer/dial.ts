/**
 * Makes one connection, of any protocol.
 *
 * @module
 */
import { connect } from "node:net";
// @ts-types="./wires/ws.d.ts"
import { WebSocket } from "ws";
import { carryTo } from "./carrier.ts";
import type { PeerOptions, Protocol, Target } from "./protocol.ts";
import type { Wire } from "./wire.ts";
import { ConnWire } from "./wires/conn.ts";
import { SocketWire } from "./wires/socket.ts";
import { dialWebTransport } from "./wires/webtransport.ts";
import { WebSocketWire } from "./wires/websocket.ts";

const HOST = "127.0.0.1";

/** How to connect. */
export const diallers: Readonly<
  Record<Protocol, (target: Target, options: PeerOptions) => Promise<Wire>>
> = {
  tcp: ({ hostname = HOST, port = 0 }) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port, allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new SocketWire(socket));
      });
    }),

  unix: async ({ path = "" }) => new ConnWire(await Deno.connect({ transport: "unix", path })),

  tls: async ({ port = 0, ca }) => {
    const carrier = await carryTo(port);
    const caCerts = ca === undefined ? [] : [ca];
    const conn = await Deno.connectTls({ hostname: HOST, port: carrier.port, caCerts });
    await conn.handshake();
    return new ConnWire(conn, carrier.reset);
  },

  websocket: ({ url = "" }, { maxPayload }) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { maxPayload, perMessageDeflate: false });
      socket.once("error", reject);
      socket.once("open", () => {
        socket.off("error", reject);
        resolve(new WebSocketWire(socket));
      });
    }),

  webtransport: dialWebTransport,
};
