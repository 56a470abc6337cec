/**
 * Messages larger than `maxBuffered`, from a peer that can be stopped: no fault of its.
 *
 * @module
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="../../peer/wires/ws.d.ts"
import { WebSocket as WsSocket, WebSocketServer } from "ws";
import { join, memoryPair, type Pair } from "@webstreams/join";
import { fromWebSocket, type WebSocketLike } from "@webstreams/join/websocket";
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { type Runtime, test } from "../../harness.ts";
import { hashOf } from "../../support/parcels.ts";
import { dial, listen, type RemoteFar } from "../../peer/client.ts";
import { FarEnd } from "../../peer/far_end.ts";
import { PairWire } from "../../peer/wires/memory.ts";
import { deferred } from "../../support/async.ts";
import { untyped } from "../../support/untyped.ts";
import { serveWebSocket } from "../../support/websocket.ts";

const MESSAGE = 20_000_000;
const sending = { bytes: 5 * MESSAGE, chunk: MESSAGE, seed: 9 };
const QUIET_MS = 300;

interface Opened {
  readonly end: Pair;
  readonly peer: RemoteFar;
  close?(): unknown;
}

const kinds: readonly (readonly [string, Runtime, () => Promise<Opened>])[] = [
  ["a client of ws", "node", async () => {
    const peer = await listen("websocket");
    const socket = new WsSocket(peer.address.url, { perMessageDeflate: false });
    return { end: fromWebSocket(untyped<WebSocketLike>(socket)), peer };
  }],
  ["a server of ws", "node", async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server, perMessageDeflate: false });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { promise, resolve } = deferred<Pair>();
    sockets.once("connection", (socket) => resolve(fromWebSocket(untyped<WebSocketLike>(socket))));
    const { port } = server.address() as AddressInfo;
    const peer = await dial("websocket", { url: `ws://127.0.0.1:${port}` });
    return { end: await promise, peer, close: () => server.close() };
  }],
  ["a client of Bun's", "bun", async () => {
    const peer = await listen("websocket");
    return { end: fromWebSocket(new WebSocket(peer.address.url)), peer };
  }],
  ["a server of Bun's", "bun", async () => {
    const server = serveWebSocket((socket) => fromWebSocket(socket));
    const peer = await dial("websocket", { url: server.url });
    return { end: await server.accepted, peer, close: () => server.close() };
  }],
];

for (const [kind, runtime, open] of kinds) {
  test(`${kind}: five messages of 20 MB come through, and do not all wait here`, {
    on: [runtime],
  }, async () => {
    const { end, peer, close } = await open();
    const [here, there] = memoryPair();
    const local = new FarEnd(new PairWire(there), { paused: true });
    const joined = join(end, here);
    joined.catch(() => {});
    try {
      const sent = peer.send(sending);
      // The first is being written, the second waits; Linux takes 36 MiB by itself.
      await peer.until({ sent: 2 * MESSAGE });
      assertLessOrEqual((await peer.until({ quiet: QUIET_MS })).sent, 4 * MESSAGE);
      await local.resume();
      assertEquals((await local.until({ received: sending.bytes })).hash, hashOf(sending));
      await Promise.all([sent, peer.finish(), local.finish()]);
      assertEquals((await joined).aToB.bytes, sending.bytes);
    } finally {
      await peer.dispose();
      await local.dispose();
      await close?.();
    }
  });
}
