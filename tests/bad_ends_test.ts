/** Platforms' own objects that are no ends: the error names what to wrap them with. */
import { join, type Pair } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { mkdtemp, open, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { Duplex, PassThrough, Readable, Writable } from "node:stream";
import { test } from "./harness.ts";
import { deferred, rejection } from "./support/async.ts";
import { FakeEnd } from "./support/fake_end.ts";
import { untyped } from "./support/untyped.ts";

async function assertHint(value: unknown, hint: string): Promise<void> {
  const other = new FakeEnd("conn");
  for (
    const joined of [join(untyped<Pair>(value), other.end), join(other.end, untyped<Pair>(value))]
  ) {
    const error = await rejection(joined);
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, hint);
  }
  assertEquals([other.reads, other.calls], [0, []]);
}

test("a Node socket needs its adapter", async () => {
  const socket = new Socket();
  await assertHint(socket, "is a Node stream: wrap it with fromNodeSocket()");
  assertEquals([socket.destroyed, socket.listenerCount("data")], [false, 0]);
  socket.destroy();
});

test("so does any other Node stream", async () => {
  const write = () => {};
  const streams = [
    new PassThrough(),
    new Duplex({ read() {}, write }),
    new Readable({ read() {} }),
    new Writable({ write }),
  ];
  for (const stream of streams) {
    await assertHint(stream, "'@webstreams/join/node'");
    assertEquals(stream.destroyed, false);
  }
});

test("a Node FileHandle is none", async () => {
  const folder = await mkdtemp(joinPath(tmpdir(), "join-"));
  const file = await open(joinPath(folder, "file"), "w+");
  try {
    await assertHint(file, "is a Node FileHandle");
    assertEquals((await file.write("still open")).bytesWritten, 10);
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
});

test("a WebSocket needs its adapter", async () => {
  const hint = "is a WebSocket: wrap it with fromWebSocket() of '@webstreams/join/websocket'";
  await assertHint({ send() {}, close() {}, readyState: 1, bufferedAmount: 0 }, hint);
  // Node 20 has none. One that connects would have to be waited for.
  const { WebSocket } = globalThis;
  if (WebSocket) await assertHint(Object.create(WebSocket.prototype), hint);
});

test("a WebSocketStream needs its adapter", async () => {
  const stream = { url: "wss://a", opened: Promise.resolve({}), closed: Promise.resolve({}) };
  await assertHint({ ...stream, close() {} }, "wrap it with fromWebSocketStream()");
});

test("a WebTransport itself is no stream", async () => {
  const transport = { ready: Promise.resolve(), createBidirectionalStream() {}, close() {} };
  await assertHint(transport, "open a stream with createBidirectionalStream()");
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
  const hint = "is a Bun socket: wrap it with fromBunSocket() of '@webstreams/join/bun'";
  await assertHint(client, hint);
  await assertHint(await accepted.promise, hint);
  client.end();
  server.stop(true);
});
