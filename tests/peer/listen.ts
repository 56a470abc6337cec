/**
 * Waits for one connection, of any protocol.
 *
 * @module
 */
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
// @ts-types="./wires/ws.d.ts"
import { type WebSocket, WebSocketServer } from "ws";
import type { Certificate } from "../tools/certs.ts";
import { carryTo } from "./carrier.ts";
import type { Address, PeerOptions, Protocol } from "./protocol.ts";
import type { Wire } from "./wire.ts";
import { ConnWire } from "./wires/conn.ts";
import { SocketWire } from "./wires/socket.ts";
import { listenWebTransport } from "./wires/webtransport.ts";
import { WebSocketWire } from "./wires/websocket.ts";

/** A listener for one connection. */
export interface Listening {
  readonly address: Partial<Address>;
  /** The connection; it may never come. */
  readonly wire: Promise<Wire>;
  /** Stops listening, before it has come. */
  close(): void;
}

type Listen = (certificate: Certificate, options: PeerOptions) => Promise<Listening>;

const HOST = "127.0.0.1";

/** How to listen. */
export const listeners: Readonly<Record<Protocol, Listen>> = {
  tcp: async () => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const wire = new Promise<Wire>((resolve) => {
      server.once("connection", (socket) => {
        server.close();
        resolve(new SocketWire(socket));
      });
    });
    return { address: { port: await listening(server) }, wire, close: () => server.close() };
  },

  unix: async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/socket`;
    const listener = Deno.listen({ transport: "unix", path });
    const wire = acceptOne(listener).then((conn) => new ConnWire(conn));
    const remove = () => Deno.remove(folder, { recursive: true });
    // Nobody is to wait for it: the listener is closed by now, and the far end must be there to dispose of.
    wire.then(remove, remove);
    return { address: { path }, wire, close: () => listener.close() };
  },

  tls: async (certificate) => {
    const listener = Deno.listenTls({ hostname: HOST, port: 0, ...certificate });
    const carrier = await carryTo(listener.addr.port);
    const wire = acceptOne(listener).then((conn) => new ConnWire(conn, carrier.reset));
    const close = () => {
      listener.close();
      carrier[Symbol.dispose]();
    };
    return { address: { port: carrier.port, ca: certificate.cert }, wire, close };
  },

  websocket: async (_, { maxPayload }) => {
    const server = createHttpServer();
    const sockets = new WebSocketServer({ server, maxPayload, perMessageDeflate: false });
    const wire = new Promise<Wire>((resolve) => {
      sockets.once("connection", (socket: WebSocket) => {
        server.close();
        resolve(new WebSocketWire(socket));
      });
    });
    const port = await listening(server);
    return { address: { port, url: `ws://${HOST}:${port}` }, wire, close: () => server.close() };
  },

  webtransport: listenWebTransport,
};

async function acceptOne(listener: Deno.Listener): Promise<Deno.Conn> {
  const conn = await listener.accept();
  listener.close();
  return conn;
}

async function listening(server: Pick<Server, "listen" | "address">): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new TypeError("The listener has no port");
  return address.port;
}
