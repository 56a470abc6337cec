/** A conversation over compressed bytes, through both sides of the recipe, each a process of its own. */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "../harness.ts";
import { deferred, rejection } from "../support/async.ts";
import { throughChild } from "./child_process_bytes.ts";
import { ask, dial, lateReplies, reset, TestServer } from "./peers.ts";
import { Recipe } from "./recipe.ts";

const MIB = 1024 * 1024;

/** Both relays, and the port that leads through them; what passes between them is counted. */
async function chain(
  target: number,
): Promise<AsyncDisposable & { port: number; between(): number }> {
  const unpacking = new Recipe("compressed_relay", "unpack", 0, "127.0.0.1", target);
  const behind = await unpacking.port();
  let bytes = 0;
  const count = (from: Socket, to: Socket) =>
    from.on("data", ({ length }) => bytes += length).pipe(to);
  const wire = new TestServer(async (socket) => {
    socket.pause();
    const onward = await dial(behind);
    count(socket, onward);
    count(onward, socket);
    socket.once("close", () => onward.destroy());
    onward.once("close", () => socket.destroy());
  });
  const packing = new Recipe("compressed_relay", "pack", 0, "127.0.0.1", await wire.port());
  return {
    port: await packing.port(),
    between: () => bytes,
    async [Symbol.asyncDispose]() {
      await packing[Symbol.asyncDispose]();
      await wire[Symbol.asyncDispose]();
      await unpacking[Symbol.asyncDispose]();
    },
  };
}

test("an interactive session over compression does not wait", async () => {
  await using server = new TestServer((socket) => void socket.pipe(socket));
  await using both = await chain(await server.port());
  const socket = await dial(both.port);
  for (const word of ["one", "two", "three"]) {
    socket.write(word);
    const [came] = await once(socket, "data");
    assertEquals(new TextDecoder().decode(came), word);
  }
  const ended = once(socket, "end");
  socket.end();
  await ended;
});

test("half-close goes through compression", async () => {
  await using server = lateReplies();
  await using both = await chain(await server.port());
  assertEquals(await ask(both.port, "hello"), "got hello");
});

test("what is compressed is what comes out, and less in between", async () => {
  await using server = new TestServer((socket) => void socket.pipe(socket));
  await using both = await chain(await server.port());
  await throughChild(both.port, MIB);
  const text = "all work and no play makes Jack a dull boy\n".repeat(20_000);
  const before = both.between();
  await using replies = lateReplies();
  await using second = await chain(await replies.port());
  assertEquals(await ask(second.port, text), `got ${text}`);
  assert(second.between() < text.length / 10, `${second.between()} bytes in between`);
  assert(before > 0);
});

test("a reset goes through compression, and so does what cannot be expanded", async () => {
  const { promise: failed, resolve } = deferred<unknown>();
  await using server = new TestServer((socket) => {
    socket.on("error", resolve).on("end", () => resolve("a clean end")).resume();
  });
  await using both = await chain(await server.port());
  await reset(both.port);
  assertEquals((await failed as { code?: string }).code, "ECONNRESET");

  const silent = await server.port();
  await using unpacking = new Recipe("compressed_relay", "unpack", 0, "127.0.0.1", silent);
  assertInstanceOf(await rejection(ask(await unpacking.port(), "no deflate at all")), Error);
});
