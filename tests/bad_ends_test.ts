/** Platforms' own objects that are no ends: the error names what to wrap them with. */
import { memoryPair } from "@webstreams/join";
import { test } from "./harness.ts";
import { deferred } from "./support/async.ts";
import { byteStreams } from "./support/environment.ts";
import { assertHalfHint, assertHint } from "./support/hints.ts";

test("a WebSocket needs its adapter", async () => {
  const hint = "must be wrapped with fromWebSocket() of '@webstreams/join/websocket'";
  await assertHint({ send() {}, close() {}, readyState: 1, bufferedAmount: 0 }, hint);
  // Node 20 has none. One that connects would have to be waited for.
  const { WebSocket } = globalThis;
  if (WebSocket) await assertHint(Object.create(WebSocket.prototype), hint);
});

test("an RTCDataChannel needs its adapter", async () => {
  const hint = "must be wrapped with fromDataChannel() of '@webstreams/join/webrtc'";
  const channel = { readyState: "open", bufferedAmount: 0, bufferedAmountLowThreshold: 0 };
  await assertHint({ ...channel, send() {}, close() {} }, hint);
  // Pages alone have it.
  const { RTCDataChannel } = globalThis as { RTCDataChannel?: { prototype: object } };
  if (RTCDataChannel) await assertHint(Object.create(RTCDataChannel.prototype), hint);
});

test("a WebSocketStream needs its adapter", async () => {
  const stream = { url: "wss://a", opened: Promise.resolve({}), closed: Promise.resolve({}) };
  await assertHint({ ...stream, close() {} }, "must be wrapped with fromWebSocketStream()");
});

test("a WebTransport itself is no stream", async () => {
  const transport = { ready: Promise.resolve(), createBidirectionalStream() {}, close() {} };
  await assertHint(transport, "must be opened with createBidirectionalStream()");
});

test("a promise of an end is to be awaited", async () => {
  const [end] = memoryPair();
  await assertHint(Promise.resolve(end), "must be awaited: got an object (Promise)");
  await assertHalfHint(Promise.resolve(end.readable), "read", "must be awaited");
  await assertHalfHint(Promise.resolve(end.writable), "write", "must be awaited");
});

test("a stream's reader or writer is not the stream", async () => {
  const hint = "must be the stream, unlocked, and not its reader or writer";
  const [{ readable, writable }] = memoryPair();
  for (const mode of byteStreams ? [undefined, "byob" as const] : [undefined]) {
    const reader = readable.getReader({ mode: mode! });
    await assertHint(reader, hint);
    await assertHalfHint(reader, "read", hint);
    reader.releaseLock();
  }
  const writer = writable.getWriter();
  await assertHint(writer, hint);
  await assertHalfHint(writer, "write", hint);
});

test("half an end is put together with another", async () => {
  const { readable, writable } = new TransformStream();
  const [read, write] = [() => null, () => 1];
  const hint = "or be one half of a duplex(): got undefined";
  for (const half of [{ readable }, { writable }, { read, readable }, { write, writable }]) {
    await assertHint(half, hint);
  }
  for (const half of [{ read, close() {} }, { write, close() {} }]) await assertHint(half, hint);
});

test("a child process is put together by duplex()", { on: ["deno"] }, async () => {
  for (const stdio of ["piped", "null"] as const) {
    const child = new Deno.Command("true", { stdin: stdio, stdout: stdio }).spawn();
    await assertHint(child, "must be duplex(child.stdout, child.stdin)");
    await assertHalfHint(child, "read", "must be its 'stdout'");
    await assertHalfHint(child, "write", "must be its 'stdin'");
    if (stdio === "piped") {
      await child.stdin.abort();
      await child.stdout.cancel();
    }
    await child.status;
  }
});

test("Deno's standard input and output are one half each", { on: ["deno"] }, async () => {
  for (const half of [Deno.stdin, Deno.stdout]) {
    await assertHint(half, "or be one half of a duplex(): got undefined");
  }
});

test("a datagram conn is no end", { on: ["deno"] }, async () => {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  await assertHint(conn, "must be a byte stream, and no datagrams");
  conn.close();
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
