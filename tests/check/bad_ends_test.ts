/** Platforms' own objects that are no ends: the error names what to wrap them with. */
import { join, memoryPair, pipe } from "@webstreams/join";
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { deferred } from "../support/async.ts";
import { byteStreams } from "../support/environment.ts";
import { assertHalfHint, assertHint } from "../support/hints.ts";

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

const toPort = "wrapped with fromMessagePort() of '@webstreams/join/message_port'";
const toChannel = "wrapped with fromDataChannel() of '@webstreams/join/webrtc'";

test("a MessagePort needs its adapter, and a Worker a port", async () => {
  const { port1, port2 } = new MessageChannel();
  for (const verb of ["read", "write"] as const) {
    await assertHalfHint(port1, verb, `must be ${toPort}: got`);
  }
  await assertHint(port1, `must be ${toPort}: got`);
  port1.close();
  port2.close();
  const hint = `must be given a MessagePort, ${toPort}`;
  await assertHint({ postMessage() {}, terminate() {}, addEventListener() {} }, hint);
  const { Worker } = globalThis;
  if (Worker) await assertHint(Object.create(Worker.prototype), hint);
});

test("an RTCDataChannel needs its adapter, and its connection a channel", async () => {
  const send = () => {};
  const channel = { send, close() {}, readyState: "open", bufferedAmountLowThreshold: 0 };
  await assertHint(channel, `must be ${toChannel}`);
  const hint = `must be its createDataChannel(), ${toChannel}`;
  await assertHint({ createDataChannel() {}, close() {} }, hint);
});

type Rtc = new () => { createDataChannel(label: string): unknown; close(): void };

test("... as they are in a page", { on: ["chromium", "firefox"] }, async () => {
  // Deno has no types for it.
  const { RTCPeerConnection } = globalThis as typeof globalThis & { RTCPeerConnection: Rtc };
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel("a");
  await assertHint(channel, `must be ${toChannel}: got an object (RTCDataChannel)`);
  await assertHint(connection, "must be its createDataChannel()");
  connection.close();
});

test("a TCPSocket of Direct Sockets needs its adapter", async () => {
  const socket = { opened: Promise.resolve({}), closed: Promise.resolve(), close() {} };
  await assertHint(socket, "must be wrapped with fromSocket() of '@webstreams/join/socket'");
});

test("one of the Sockets API is an end as it is", async () => {
  const [{ readable, writable }, there] = memoryPair();
  const closed = Promise.resolve();
  const socket = { readable, writable, opened: closed, closed, close: () => closed };
  const joined = join(socket, memoryPair()[0], { halfClose: "end" });
  await there.writable.close();
  assertEquals((await joined).ended, "eof");
});

test("a Request and a Response are two halves", async () => {
  for (const message of [new Response("hello"), new Request("http://a/")]) {
    await assertHint(message, "must be two bodies, see duplex()");
    await assertHalfHint(message, "read", "must be its 'body'");
  }
});

test("an async iterable is made a stream", async () => {
  async function* bytes() {
    yield await Promise.resolve(new Uint8Array(1));
  }
  const hint = "must be made a ReadableStream, by its from()";
  await assertHint(bytes(), `${hint}, and an end by duplex()`);
  await assertHalfHint(bytes(), "read", `${hint}: got`);
  // One that can be read is read.
  const reader = { read: () => null, [Symbol.asyncIterator]: bytes };
  assertEquals((await pipe(reader, new WritableStream())).bytes, 0);
});

test("a stream of libp2p is wrapped as two", async () => {
  const stream = new EventTarget();
  Object.assign(stream, { send: () => true, close() {}, abort() {}, status: "open" });
  await assertHint(stream, "must be wrapped as two streams with duplex()");
});

test("a socket of events is none of bytes", async () => {
  const socket = { on() {}, emit() {}, send() {}, connected: true, disconnect() {} };
  await assertHint(socket, "must be a byte stream, and no events");
});

test("nothing is no end", async () => {
  for (const value of [undefined, null, 1, "tcp://localhost"]) {
    await assertHint(value, "must be a pair of streams or a Go-style end: got");
  }
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
