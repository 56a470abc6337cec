/** Platforms' own objects that are no ends: the error names what to wrap them with. */
import { test } from "./harness.ts";
import { deferred } from "./support/async.ts";
import { assertHint } from "./support/hints.ts";

test("a WebSocket needs its adapter", async () => {
  const hint = "must be wrapped with fromWebSocket() of '@webstreams/join/websocket'";
  await assertHint({ send() {}, close() {}, readyState: 1, bufferedAmount: 0 }, hint);
  // Node 20 has none. One that connects would have to be waited for.
  const { WebSocket } = globalThis;
  if (WebSocket) await assertHint(Object.create(WebSocket.prototype), hint);
});

test("a WebSocketStream needs its adapter", async () => {
  const stream = { url: "wss://a", opened: Promise.resolve({}), closed: Promise.resolve({}) };
  await assertHint({ ...stream, close() {} }, "must be wrapped with fromWebSocketStream()");
});

test("a WebTransport itself is no stream", async () => {
  const transport = { ready: Promise.resolve(), createBidirectionalStream() {}, close() {} };
  await assertHint(transport, "must be opened with createBidirectionalStream()");
});

interface BunSocket {
  end(): void;
}
interface BunTcp {
  hostname: string;
  port: number;
  socket: Record<string, (socket: BunSocket) => void>;
}
interface Bun {
  listen(options: BunTcp): { port: number; stop(closeActive: boolean): void };
  connect(options: BunTcp): Promise<BunSocket>;
}

test("a Bun socket needs its adapter", { on: ["bun"] }, async () => {
  const { Bun } = globalThis as typeof globalThis & { Bun: Bun };
  const accepted = deferred<BunSocket>();
  const hostname = "127.0.0.1";
  const socket = { data() {} };
  const server = Bun.listen({
    hostname,
    port: 0,
    socket: { ...socket, open: (its) => accepted.resolve(its) },
  });
  const client = await Bun.connect({ hostname, port: server.port, socket });
  const hint = "must be wrapped with fromBunSocket() of '@webstreams/join/bun'";
  await assertHint(client, hint);
  await assertHint(await accepted.promise, hint);
  client.end();
  server.stop(true);
});
