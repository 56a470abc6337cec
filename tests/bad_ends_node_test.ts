/** Node's own objects that are no ends: the error names what to wrap them with. */
import { assertEquals } from "@std/assert";
import { mkdtemp, open, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex, PassThrough, Readable, Writable } from "node:stream";
import { test } from "./harness.ts";
import { assertHint } from "./support/hints.ts";

test("a Node socket needs its adapter", async () => {
  const socket = new Socket();
  await assertHint(socket, "must be wrapped with fromNodeSocket()");
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
