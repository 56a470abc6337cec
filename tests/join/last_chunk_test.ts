import { join, JoinError, pipe } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { test } from "../harness.ts";
import { rejection } from "../support/async.ts";

/** It closes with its only chunk, so that its end shows while that chunk is being written. */
function closesWithItsChunk(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(8));
      controller.close();
    },
  });
}

test("pipe: the last write to a Go-style sink fails, and so does the pipe", async () => {
  let closed = 0;
  const full = { write: () => Promise.reject(new Error("disk full")), close: () => void closed++ };
  await assertRejects(() => pipe(closesWithItsChunk(), full), Error, "disk full");
  assertEquals(closed, 0);
});

test("pipe: the last write to a Go-style sink gives 0, and the pipe fails", async () => {
  const lying = { write: () => Promise.resolve(0) };
  await assertRejects(() => pipe(closesWithItsChunk(), lying), RangeError, "got 0");
});

test("join: the last write to a Go-style end fails, and no end of file is sent", async () => {
  const calls: string[] = [];
  const conn = {
    read: () => Promise.resolve(null),
    write: () => Promise.reject(new Error("broken pipe")),
    closeWrite: () => void calls.push("closeWrite"),
    close: () => void calls.push("close"),
  };
  const pair = { readable: closesWithItsChunk(), writable: new WritableStream() };
  const error = await rejection(join(pair, conn));
  assertInstanceOf(error, JoinError);
  assertEquals([error.side, error.end, error.aToB.bytes], ["write", "b", 0]);
  assertEquals(calls, ["close"]);
});
