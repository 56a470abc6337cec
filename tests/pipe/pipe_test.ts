/**
 * What `pipe` adds to `pipeTo` between two streams: counts, `stats`, `limit`, pooled buffers.
 *
 * @module
 */
import { BufferPool, LimitError, pipe, type PipeResult } from "@webstreams/join";
import { assertEquals, assertGreater, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { WITH_BYTE_STREAMS as on } from "../support/environment.ts";
import { rejection } from "../support/async.ts";
import { follow, Rig, settle, UNBOUNDED } from "./helpers.ts";

const bytes = (length: number) => new Uint8Array(length);

test("the result counts chunks, and the bytes of buffers and views", async () => {
  const buffer = new ArrayBuffer(100);
  const chunks = [
    ...[buffer, bytes(10), new Uint16Array(10), new DataView(buffer, 50)],
    ...["text", undefined, null, {}, 5, [1, 2, 3], { byteLength: 7 }],
  ];
  const rig = new Rig({ chunks, closed: true });
  assertEquals(await pipe(rig.source, rig.sink), { bytes: 100 + 10 + 20 + 50, chunks: 11 });
});

test("a view counts what it shows and not what is behind it", async () => {
  const rig = new Rig({ chunks: [bytes(1000).subarray(10, 15)], closed: true });
  assertEquals(await pipe(rig.source, rig.sink), { bytes: 5, chunks: 1 });
});

test("an empty chunk is a chunk", async () => {
  const rig = new Rig({ chunks: [bytes(0), bytes(0)], closed: true });
  assertEquals(await pipe(rig.source, rig.sink), { bytes: 0, chunks: 2 });
  assertEquals(rig.calls.length, 3);
});

test("nothing is counted for an empty source", async () => {
  const rig = new Rig({ closed: true });
  assertEquals(await pipe(rig.source, rig.sink), { bytes: 0, chunks: 0 });
});

test("a chunk that the sink detaches counts what it was", async () => {
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(bytes(64));
      controller.close();
    },
  });
  const sink = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: (chunk) => void structuredClone(chunk, { transfer: [chunk.buffer] }),
  });
  assertEquals(await pipe(source, sink), { bytes: 64, chunks: 1 });
});

for (const mark of [1, 2, 5, UNBOUNDED]) {
  test(`a chunk counts when its write has fulfilled, and no sooner; mark ${mark}`, async () => {
    const stats: Partial<PipeResult> = {};
    const rig = new Rig({ chunks: [1, 2, 3, 4].map(bytes), closed: true, mark, hold: true });
    const done = pipe(rig.source, rig.sink, { stats });
    let sum = 0;
    for (let index = 0; index < 4; index++) {
      await settle();
      assertEquals(stats, { bytes: sum, chunks: index });
      rig.writes[index].resolve();
      sum += index + 1;
    }
    assertEquals(await done, { bytes: 10, chunks: 4 });
    assertEquals(stats, { bytes: 10, chunks: 4 });
  });
}

test("the counts are all there when the promise fulfils", async () => {
  for (const mark of [1, 2, 100]) {
    const chunks = Array.from({ length: 50 }, () => bytes(10));
    const rig = new Rig({ chunks, closed: true, mark });
    const stats: Partial<PipeResult> = {};
    const result = await pipe(rig.source, rig.sink, { stats });
    assertEquals(result, { bytes: 500, chunks: 50 });
    assertEquals(stats, result);
  }
});

test("the result is a copy, 'stats' the caller's own object", async () => {
  const stats: Partial<PipeResult> & { mine: string } = { bytes: 5, mine: "kept" };
  const rig = new Rig({ chunks: [bytes(3)], closed: true });
  const done = pipe(rig.source, rig.sink, { stats });
  assertEquals(stats, { bytes: 0, chunks: 0, mine: "kept" });
  const result = await done;
  assertEquals(stats, { bytes: 3, chunks: 1, mine: "kept" });
  stats.bytes = 99;
  assertEquals(result, { bytes: 3, chunks: 1 });
});

test("a write that fails is not counted, and those before it are in 'stats'", async () => {
  for (const mark of [1, 3]) {
    const stats: Partial<PipeResult> = {};
    const rig = new Rig({ chunks: [1, 2, 3].map(bytes), mark, hold: true });
    const outcome = follow(pipe(rig.source, rig.sink, { stats }));
    await settle();
    rig.writes[0].resolve();
    await settle();
    rig.writes[1].reject("sink");
    await settle();
    assertEquals(outcome, { state: "rejected", reason: "sink" });
    assertEquals(stats, { bytes: 1, chunks: 1 });
  }
});

test("after a source's error the writes that were waited for are in 'stats'", async () => {
  const stats: Partial<PipeResult> = {};
  const rig = new Rig({ chunks: [1, 2].map(bytes), mark: 2, hold: true });
  const outcome = follow(pipe(rig.source, rig.sink, { stats }));
  await settle();
  rig.input.error("source");
  rig.writes[0].resolve();
  await settle();
  rig.writes[1].resolve();
  await settle();
  assertEquals(outcome, { state: "rejected", reason: "source" });
  assertEquals(stats, { bytes: 3, chunks: 2 });
});

test("after an abort the writes that were waited for are in 'stats'", async () => {
  const stats: Partial<PipeResult> = {};
  const controller = new AbortController();
  const rig = new Rig({ chunks: [1, 2, 3].map(bytes), mark: 2, hold: true });
  const outcome = follow(pipe(rig.source, rig.sink, { stats, signal: controller.signal }));
  await settle();
  controller.abort("reason");
  rig.writes[0].resolve();
  await settle();
  rig.writes[1].resolve();
  await settle();
  assertEquals(outcome, { state: "rejected", reason: "reason" });
  assertEquals(stats, { bytes: 3, chunks: 2 });
});

test("a close() that fails leaves the counts in 'stats'", async () => {
  const stats: Partial<PipeResult> = {};
  const rig = new Rig({
    chunks: [bytes(4)],
    closed: true,
    onClose: () => Promise.reject("close"),
  });
  assertEquals(await rejection(pipe(rig.source, rig.sink, { stats })), "close");
  assertEquals(stats, { bytes: 4, chunks: 1 });
});

test("after the source's end and a failed last write, preventClose: success, and not counted", async () => {
  const rig = new Rig({ chunks: [bytes(4)], closed: true, hold: true });
  const done = pipe(rig.source, rig.sink, { preventClose: true });
  await settle();
  rig.writes[0].reject("sink");
  assertEquals(await done, { bytes: 0, chunks: 0 });
});

test("as many bytes as the limit pass, and a source that ends there succeeds", async () => {
  const rig = new Rig({ chunks: [bytes(6), bytes(4)], closed: true });
  assertEquals(await pipe(rig.source, rig.sink, { limit: 10 }), { bytes: 10, chunks: 2 });
});

test("a byte past the limit aborts the sink and cancels the source, the limit written", async () => {
  const stats: Partial<PipeResult> = {};
  const rig = new Rig({ chunks: [bytes(6), bytes(5)], closed: false });
  const reason = await rejection(pipe(rig.source, rig.sink, { limit: 10, stats }));
  assertInstanceOf(reason, LimitError);
  assertEquals([reason.limit, reason.message], [10, "Limit of 10 bytes exceeded"]);
  assertEquals(new LimitError(1).message, "Limit of 1 byte exceeded");
  assertEquals(stats.bytes, 10);
  assertEquals(rig.calls.map(([name]) => name), ["write", "write", "abort", "cancel"]);
  assertEquals(rig.calls[1][1], bytes(4));
  assertStrictEquals(rig.calls[2][1], reason);
  assertStrictEquals(rig.calls[3][1], reason);
  assertEquals(rig.locked, [false, false]);
});

test("'prevent' options hold for a limit as well", async () => {
  const rig = new Rig({ chunks: [bytes(11), "left"] });
  const options = { limit: 10, preventAbort: true, preventCancel: true };
  assertInstanceOf(await rejection(pipe(rig.source, rig.sink, options)), LimitError);
  assertEquals(rig.calls.map(([name]) => name), ["write"]);
  assertEquals(await rig.left(), ["left"]);
});

test("chunks without bytes never come up against a limit", async () => {
  const rig = new Rig({ chunks: ["a", "b", bytes(0), {}], closed: true });
  assertEquals(await pipe(rig.source, rig.sink, { limit: 1 }), { bytes: 0, chunks: 4 });
});

/** A byte stream of `total` bytes that fills whatever it is given, up to `most`. */
function byteSource(total: number, most: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const request = controller.byobRequest;
      const view = request?.view;
      const size = Math.min(total - sent, most, view?.byteLength ?? 100);
      if (request && view) {
        new Uint8Array(view.buffer, view.byteOffset, size).forEach((_, index, all) =>
          all[index] = sent + index
        );
        sent += size;
        if (sent === total && size === 0) controller.close();
        request.respond(size);
      } else {
        controller.enqueue(Uint8Array.from({ length: size }, (_, index) => sent + index));
        sent += size;
        if (sent === total) controller.close();
      }
    },
  });
}

for (const consumesOnWrite of [false, true]) {
  test(`a byte stream is counted, and its buffers come back; consumesOnWrite ${consumesOnWrite}`, {
    on,
  }, async () => {
    const pool = new BufferPool();
    let received = 0;
    let wrong = 0;
    const sink = new WritableStream<Uint8Array<ArrayBuffer>>({
      write(chunk) {
        for (const byte of chunk) if (byte !== (received++ & 255)) wrong++;
      },
    });
    const total = 300_000;
    const options = { pool, consumesOnWrite };
    const result = await pipe(byteSource(total, 70_000), sink, options);
    assertEquals([received, wrong], [total, 0]);
    assertEquals(result.bytes, total);
    assertGreater(result.chunks, 1);
    assertEquals(pool.lent, 0);
  });
}

test("a buffer is not used again while a sink still holds it", { on }, async () => {
  const kept: Uint8Array<ArrayBuffer>[] = [];
  const sink = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: (chunk) => void kept.push(chunk),
  }, { highWaterMark: 4 });
  const total = 100_000;
  await pipe(byteSource(total, 3_000), sink);
  let at = 0;
  for (const chunk of kept) {
    for (const byte of chunk) assertEquals(byte, at++ & 255);
  }
  assertEquals(at, total);
});

test("a byte source that closes without answering its request ends the pipe", { on }, async () => {
  const source = new ReadableStream({
    type: "bytes",
    pull: (controller) => controller.close(),
  });
  const pool = new BufferPool();
  const rig = new Rig();
  assertEquals(await pipe(source, rig.sink, { pool }), { bytes: 0, chunks: 0 });
  assertEquals(rig.calls, [["close"]]);
  assertEquals(source.locked, false);
  assertEquals(pool.lent, 0);
});
