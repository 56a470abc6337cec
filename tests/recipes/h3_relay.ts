/**
 * Relays WebSockets to a TCP server by the hooks of crossws in an h3 app, on Node, Deno and Bun:
 *
 *     node h3_relay.js 8080 127.0.0.1 5900
 *
 * @module
 */
import { join } from "@webstreams/join";
import { fromNodeSocket } from "@webstreams/join/node";
import { fromWebSocket, webSocketHandlers, type WebSocketLike } from "@webstreams/join/websocket";
import type { Hooks, Peer } from "crossws";
import { plugin } from "crossws/server";
import { defineWebSocketHandler, H3, serve } from "h3";
import { connect } from "node:net";
import process from "node:process";

const [port, host, target] = process.argv.slice(2);

/**
 * A peer as what `fromWebSocket` takes, told by the hooks. The `websocket` of a peer is a proxy of its real one,
 * and by that neither Deno's nor Bun's can be called (crossws 0.4).
 */
class PeerSocket implements WebSocketLike {
  failed = false;
  /** Deno's peers have it as well, and fail. */
  readonly terminate?: () => void;
  readonly #peer: Peer;
  #told: Promise<void> = Promise.resolve();

  constructor(peer: Peer) {
    this.#peer = peer;
    if ("terminate" in peer.websocket) this.terminate = () => peer.terminate();
  }

  get readyState(): number {
    return this.#peer.websocket.readyState ?? 1;
  }

  get bufferedAmount(): number {
    return this.#peer.bufferedAmount;
  }

  /** What a peer's gives says nothing: Node's is always 0. */
  send(message: Uint8Array<ArrayBuffer>): void {
    this.#peer.send(message);
  }

  close(code?: number, reason?: string): void {
    this.#peer.close(code, reason);
  }

  /** In the order in which they came: on Deno what is binary is a Blob. */
  tell(action: () => void | Promise<void>): void {
    this.#told = this.#told.then(action);
  }
}

const sockets = new WeakMap<Peer, PeerSocket>();

const relay = defineWebSocketHandler({
  async open(peer) {
    const socket = new PeerSocket(peer);
    sockets.set(peer, socket);
    const upstream = connect({ host, port: Number(target), allowHalfOpen: true });
    try {
      // A WebSocket cannot be told that the server has ended, other than by its close.
      const options = { halfCloseTimeout: 1000 };
      const ends = [fromWebSocket(socket), fromNodeSocket(upstream)] as const;
      const { aToB, bToA } = await join(...ends, options);
      console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
    } catch (error) {
      console.error((error as Error).message);
    }
  },
  message(peer, { rawData }) {
    const socket = sockets.get(peer)!;
    socket.tell(async () => {
      const data = rawData instanceof Blob ? new Uint8Array(await rawData.arrayBuffer()) : rawData;
      webSocketHandlers.message(socket, data as string | Uint8Array);
    });
  },
  error(peer) {
    sockets.get(peer)!.failed = true;
  },
  close(peer, { code, reason = "" }) {
    const socket = sockets.get(peer)!;
    // On Deno there is none.
    code ??= socket.failed ? 1006 : 1005;
    socket.tell(() => webSocketHandlers.close(socket, code!, reason));
  },
});

const app = new H3().get("/", relay);
const options = { idleTimeout: 0 }; // Its pings would wait behind what a slow reader has still to read.
const server = serve(app, {
  hostname: "127.0.0.1",
  port: Number(port),
  silent: true,
  plugins: [plugin({
    resolve: async (request) =>
      (await app.fetch(request) as Response & { crossws: Partial<Hooks> }).crossws,
    options: { bun: options, deno: options, node: options },
  })],
});
await server.ready();
console.log(`listening on ${new URL(server.url!).port}`);
