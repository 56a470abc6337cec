import { ByteCounterStream } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { test } from "./harness.ts";
import { rejection } from "./support/async.ts";
import { bytes } from "./support/bytes.ts";
import { untyped } from "./support/untyped.ts";

/** A stream of the chunks. */
function streamOf<T>(...chunks: T[]): ReadableStream<T> {
  return new ReadableStream({
    pull(controller) {
      const [chunk] = chunks.splice(0, 1);
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

test("bytes of an ArrayBuffer and of any view count, everything else is a chunk", async () => {
  const chunks = [
    bytes("hello"),
    new ArrayBuffer(7),
    new DataView(new ArrayBuffer(20), 4, 11),
    new Float64Array(3),
    new Uint8Array(),
    "a text",
    { byteLength: 100 },
    5,
    null,
  ];
  const counter = new ByteCounterStream<unknown>();
  const passed: unknown[] = [];
  const sink = new WritableStream({ write: (chunk) => void passed.push(chunk) });
  await streamOf<unknown>(...chunks).pipeThrough(counter).pipeTo(sink);
  assertEquals([counter.bytes, counter.chunks], [5 + 7 + 11 + 24, 9]);
  chunks.forEach((chunk, at) => assertStrictEquals(passed[at], chunk));
});

test("it is a TransformStream, and counts as the bytes pass", async () => {
  const counter = new ByteCounterStream();
  assertInstanceOf(counter, TransformStream);
  assertEquals([counter.bytes, counter.chunks], [0, 0]);
  const writer = counter.writable.getWriter();
  const reader = counter.readable.getReader();
  for (const [at, length] of [3, 4, 5].entries()) {
    void writer.write(new Uint8Array(length));
    assertEquals((await reader.read()).value?.length, length);
    assertEquals([counter.bytes, counter.chunks], [[3, 7, 12][at], at + 1]);
  }
});

test("stats are the caller's, shared by many, and not reset", async () => {
  const stats = { bytes: 100 };
  const counters = [new ByteCounterStream({ stats }), new ByteCounterStream({ stats })];
  for (const counter of counters) {
    await streamOf(bytes("12345")).pipeThrough(counter).pipeTo(new WritableStream());
  }
  assertEquals(stats, { bytes: 110, chunks: 2 } as { bytes: number });
  assertEquals(counters.map(({ bytes }) => bytes), [110, 110]);
});

test("failures pass as well", async () => {
  const cause = new Error("the first error");
  const failing = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: () => Promise.reject(cause),
  });
  const piped = failing.pipeThrough(new ByteCounterStream()).pipeTo(new WritableStream());
  assertStrictEquals(await rejection(piped), cause);
});

test("options that are none", () => {
  assertEquals(new ByteCounterStream(untyped({ stats: undefined })).bytes, 0);
});
