/** Node's own objects that are no ends: the error names what to wrap them with. */
import { assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createSocket } from "node:dgram";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { connect, createServer as createHttp2Server } from "node:http2";
import { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex, PassThrough, Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { test } from "../harness.ts";
import { assertHalfHint, assertHint } from "../support/hints.ts";

test("a Node socket needs its adapter", async () => {
  const socket = new Socket();
  await assertHint(socket, "must be wrapped with fromNodeSocket()");
  assertEquals([socket.destroyed, socket.listenerCount("data")], [false, 0]);
  socket.destroy();
});

test("so does any other Node stream that is both", async () => {
  for (const stream of [new PassThrough(), new Duplex({ read() {}, write() {} })]) {
    await assertHint(stream, "must be wrapped with fromNodeSocket() of '@webstreams/join/node'");
    await assertHalfHint(stream, "read", "fromNodeReadable() of '@webstreams/join/node': got");
    await assertHalfHint(stream, "write", "fromNodeWritable() of '@webstreams/join/node': got");
    assertEquals(stream.destroyed, false);
  }
});

test("one that is a half has an adapter, too, and is made an end by duplex()", async () => {
  const toReadable = "must be wrapped with fromNodeReadable() of '@webstreams/join/node'";
  const toWritable = "must be wrapped with fromNodeWritable() of '@webstreams/join/node'";
  const inputs = [new Readable({ read() {} }), createReadStream(fileURLToPath(import.meta.url))];
  const request = new IncomingMessage(new Socket());
  for (const stream of [...inputs, request]) {
    await assertHint(stream, `${toReadable}, and made an end by duplex()`);
    await assertHalfHint(stream, "read", `${toReadable}: got`);
    const closed = once(stream, "close");
    stream.destroy();
    await closed;
  }
  for (const stream of [new Writable({ write() {} }), new ServerResponse(request)]) {
    await assertHint(stream, `${toWritable}, and made an end by duplex()`);
    await assertHalfHint(stream, "write", `${toWritable}: got`);
    stream.destroy();
  }
});

test("a child process is put together by duplex()", async () => {
  const child = spawn("cat", { stdio: ["pipe", "pipe", "inherit"] });
  await assertHint(
    child,
    "must be duplex(fromNodeReadable(child.stdout), fromNodeWritable(child.stdin))",
  );
  child.stdin.end();
  await once(child, "close");
});

test("a datagram socket is no end", async () => {
  const socket = createSocket("udp4");
  await assertHint(socket, "must be a byte stream, and no datagrams");
  await assertHalfHint(socket, "write", "must be a byte stream, and no datagrams");
  socket.close();
});

test("an HTTP/2 stream needs its adapter, and a session is none", async () => {
  const server = createHttp2Server();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const hint = "wrapped with fromNodeSocket() of '@webstreams/join/node'";
  await assertHint(session, `must be one of its streams, ${hint}`);
  const stream = session.request({ ":method": "POST" });
  await assertHint(stream, `must be ${hint}`);
  const closed = once(session, "close");
  stream.on("error", () => {});
  session.destroy();
  await closed;
  await new Promise((resolve) => server.close(resolve));
});

test("a thread needs a port", async () => {
  const worker = new Worker("", { eval: true });
  const hint = "must be given a MessagePort, wrapped with fromMessagePort()";
  await assertHint(worker, `${hint} of '@webstreams/join/message_port'`);
  await worker.terminate();
});

test("a Node FileHandle is none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "join-"));
  const file = await open(join(folder, "file"), "w+");
  try {
    await assertHint(file, "must be wrapped as two streams with duplex()");
    assertEquals((await file.write("still open")).bytesWritten, 10);
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
});
