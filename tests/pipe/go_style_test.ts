/** `pipe` with Go-style ends, and what it has beyond `pipeTo`. */
import { LimitError, pipe, type PipeOptions, type Reader, type Writer } from "@webstreams/join";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { test } from "../harness.ts";
import { deferred, delay, never, rejection, turns } from "../support/async.ts";
import { bytes, concat, lengthOf, text } from "../support/bytes.ts";
import { pattern } from "../support/parcels.ts";
import { WITH_BYTE_STREAMS as on } from "../support/environment.ts";
import { RecordingPool } from "../support/recording_pool.ts";
import { CountingController } from "../support/signal.ts";

const cause = new Error("the first error");

type Method = "closeWrite" | "close" | "abort";

interface Recorded {
  readonly calls: (readonly [Method, ...unknown[]])[];
}

function record(methods: readonly Method[]): Recorded & Partial<Record<Method, () => void>> {
  const calls: Recorded["calls"] = [];
  const entries = methods.map((name) => [
    name,
    (...args: unknown[]) => void calls.push([name, ...args]),
  ]);
  return { calls, ...Object.fromEntries(entries) };
}

/** Gives the chunks, then the end of file, or fails with what is thrown there. */
function source(
  chunks: readonly string[],
  { fails, methods = ["close"] }: { fails?: unknown; methods?: Method[] } = {},
): Reader & Recorded & { views: Uint8Array<ArrayBuffer>[] } {
  const left = [...chunks];
  const views: Uint8Array<ArrayBuffer>[] = [];
  return {
    ...record(methods),
    views,
    read(p) {
      views.push(p);
      const chunk = left.shift();
      if (chunk !== undefined) return new TextEncoder().encodeInto(chunk, p).written;
      if (fails !== undefined) throw fails;
      return null;
    },
  };
}

function sink(
  methods: readonly Method[],
  write?: Writer["write"],
): Writer & Recorded & { received: Uint8Array[] } {
  const received: Uint8Array[] = [];
  return {
    ...record(methods),
    received,
    write: write ?? ((p) => {
      received.push(p.slice());
      return p.length;
    }),
  };
}

test("at the end of file the sink's writing is closed, and the source left open", async () => {
  const from = source(["hello, ", "world"]);
  const to = sink(["closeWrite", "close", "abort"]);
  assertEquals(await pipe(from, to), { bytes: 12, chunks: 2 });
  assertEquals(text(...to.received), "hello, world");
  assertEquals([from.calls, to.calls], [[], [["closeWrite"]]]);
});

test("... or the sink is closed whole, if it cannot half-close", async () => {
  const from = source(["x"]);
  const to = sink(["close", "abort"]);
  await pipe(from, to);
  assertEquals([from.calls, to.calls], [[], [["close"]]]);
});

test("... or nothing is, if it has neither", async () => {
  assertEquals(await pipe(source(["x"], { methods: [] }), sink([])), { bytes: 1, chunks: 1 });
});

test("... and it fails if closing does", async () => {
  const to = sink([]);
  to.closeWrite = () => Promise.reject(cause);
  assertStrictEquals(await rejection(pipe(source(["x"]), to)), cause);
});

test("after a failed read the sink is aborted with the error", async () => {
  const from = source(["x"], { fails: cause });
  const to = sink(["closeWrite", "close", "abort"]);
  assertStrictEquals(await rejection(pipe(from, to)), cause);
  assertEquals([from.calls, to.calls], [[], [["abort", cause]]]);
  assertEquals(text(...to.received), "x");
});

test("... or closed whole, for lack of an abort", async () => {
  const from = source([], { fails: cause });
  const to = sink(["closeWrite", "close"]);
  assertStrictEquals(await rejection(pipe(from, to)), cause);
  assertEquals([from.calls, to.calls], [[], [["close"]]]);
});

test("... or left, for lack of both", async () => {
  assertStrictEquals(await rejection(pipe(source([], { fails: cause }), sink([]))), cause);
});

test("after a failed write the source is closed", async () => {
  const from = source(["x", "y"]);
  const to = sink(["closeWrite", "close", "abort"], () => Promise.reject(cause));
  assertStrictEquals(await rejection(pipe(from, to)), cause);
  assertEquals([from.calls, to.calls], [[["close"]], []]);
});

test("... or left, if it cannot be closed", async () => {
  const from = source(["x"], { methods: [] });
  assertStrictEquals(await rejection(pipe(from, sink([], () => Promise.reject(cause)))), cause);
});

test("preventClose, preventAbort and preventCancel suppress exactly these", async () => {
  const all: PipeOptions = { preventClose: true, preventAbort: true, preventCancel: true };
  const methods = ["closeWrite", "close", "abort"] as const;
  const calls = async (options: PipeOptions, how: "eof" | "read" | "write") => {
    const from = source(["x"], how === "read" ? { fails: cause } : {});
    const to = sink(methods, how === "write" ? () => Promise.reject(cause) : undefined);
    const piped = pipe(from, to, options);
    if (how === "eof") await piped;
    else assertStrictEquals(await rejection(piped), cause);
    return [...from.calls.map(([name]) => `source ${name}`), ...to.calls.map(([name]) => name)];
  };
  assertEquals(await calls({ preventClose: true }, "eof"), []);
  assertEquals(await calls({ ...all, preventClose: false }, "eof"), ["closeWrite"]);
  assertEquals(await calls({ preventAbort: true }, "read"), []);
  assertEquals(await calls({ ...all, preventAbort: false }, "read"), ["abort"]);
  assertEquals(await calls({ preventCancel: true }, "write"), []);
  assertEquals(await calls({ ...all, preventCancel: false }, "write"), ["source close"]);
});

test("a signal closes the source, aborts the sink, and waits for no Go-style write", async () => {
  const controller = new CountingController();
  const from = source(["stuck"]);
  const writing = deferred();
  const to = sink(["closeWrite", "close", "abort"], () => {
    writing.resolve();
    return never<number>();
  });
  const pool = new RecordingPool();
  const piped = pipe(from, to, { signal: controller.signal, pool });
  await writing.promise;
  controller.abort(cause);
  assertStrictEquals(await rejection(piped), cause);
  assertEquals([from.calls, to.calls], [[["close"]], [["abort", cause]]]);
  assertEquals([controller.added, controller.listeners], [1, 0]);
  assertEquals(pool.lent, 0);
  assertEquals(pool.released, []);
});

test("a stream into a Go-style sink", async () => {
  const to = sink(["closeWrite"]);
  const chunks = [bytes("one"), bytes("two").buffer];
  const from = new ReadableStream<Uint8Array<ArrayBuffer> | ArrayBuffer>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  });
  assertEquals(await pipe(from, to), { bytes: 6, chunks: 2 });
  assertEquals([text(...to.received), to.calls], ["onetwo", [["closeWrite"]]]);
  assertEquals(from.locked, false);
});

test("a Go-style source into a stream, which keeps its chunks", async () => {
  const received: Uint8Array[] = [];
  let closed = 0;
  const to = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: (chunk) => void received.push(chunk),
    close: () => void closed++,
  });
  const from = source(["one", "two", "three"]);
  assertEquals(await pipe(from, to), { bytes: 11, chunks: 3 });
  assertEquals([text(...received), closed, to.locked], ["onetwothree", 1, false]);
  assertEquals(from.calls, []);
});

test("a failing stream aborts a Go-style sink, a failing Go-style sink cancels a stream", async () => {
  const to = sink(["abort"]);
  const failing = new ReadableStream({ pull: () => Promise.reject(cause) });
  assertStrictEquals(await rejection(pipe(failing, to)), cause);
  assertEquals(to.calls, [["abort", cause]]);

  let cancelled: unknown;
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(bytes("x")),
    cancel: (reason) => void (cancelled = reason),
  });
  assertStrictEquals(await rejection(pipe(endless, sink([], () => Promise.reject(cause)))), cause);
  assertStrictEquals(cancelled, cause);
});

test("partial writes are completed, and wrong counts are an error", async () => {
  const taken: Uint8Array[] = [];
  const partial = sink([], (p) => taken.push(p.slice(0, 2)) && Math.min(2, p.length));
  assertEquals((await pipe(source(["abcde"]), partial)).bytes, 5);
  assertEquals(text(...taken), "abcde");
  for (const count of [0, -1, 1.5, NaN, 6]) {
    const from = source(["abcde"]);
    await assertRejects(() => pipe(from, sink([], () => count)), RangeError, `got ${count}`);
    assertEquals(from.calls, [["close"]]);
  }
});

test("limit: exactly so many pass", async () => {
  assertEquals((await pipe(source(["abc", "def"]), sink([]), { limit: 6 })).bytes, 6);
  const from = source(["abc", "def", "g"]);
  const to = sink(["closeWrite", "abort"]);
  const stats = {};
  const error = await rejection(pipe(from, to, { limit: 5, stats }));
  assertInstanceOf(error, LimitError);
  assertEquals([error.limit, error.direction], [5, undefined]);
  assertEquals(text(...to.received), "abcde");
  assertEquals([from.calls, to.calls], [[["close"]], [["abort", error]]]);
  assertEquals(stats, { bytes: 5, chunks: 2 });
});

test("rate: so many a second", async () => {
  const start = performance.now();
  const to = sink([]);
  const { bytes: count } = await pipe(source(["x".repeat(500)]), to, { rate: 1000 });
  assertEquals([count, lengthOf(to.received)], [500, 500]);
  assertGreaterOrEqual(performance.now() - start, 390);
});

test("stats are the caller's object, and live", async () => {
  const stats: { bytes?: number; chunks?: number } = { bytes: 7, chunks: 7 };
  const seen: unknown[] = [];
  const to = sink([], (p) => seen.push({ ...stats }) && p.length);
  const piped = pipe(source(["abc", "de"]), to, { stats });
  assertEquals([seen[0], await piped], [{ bytes: 0, chunks: 0 }, { bytes: 5, chunks: 2 }]);
  assertEquals(seen[1], { bytes: 3, chunks: 1 });
  assertEquals(stats, { bytes: 5, chunks: 2 });
});

test("buffer: the caller's own is used for each read", async () => {
  const buffer = new Uint8Array(8);
  const pool = new RecordingPool();
  const from = source(["one", "two", "three"]);
  const to = sink([]);
  await pipe(from, to, { buffer, pool });
  assertEquals(text(...to.received), "onetwothree");
  for (const view of from.views) assertStrictEquals(view, buffer);
  assertEquals(pool.acquired, []);
});

test("buffer: a sink that keeps its chunks is never given it", async () => {
  const buffer = new Uint8Array(4);
  const received: Uint8Array[] = [];
  const to = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: (chunk) => void received.push(chunk),
  });
  await pipe(source(["1234", "abcd", "x"]), to, { buffer });
  assertEquals(text(...received), "1234abcdx");
  for (const chunk of received) assertNotStrictEquals(chunk.buffer, buffer.buffer);
});

test("buffer: one that consumes is", async () => {
  const buffer = new Uint8Array(4);
  const to = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: (chunk) => assertStrictEquals(chunk.buffer, buffer.buffer),
  });
  await pipe(source(["1234", "abcd"]), to, { buffer, consumesOnWrite: true });
});

test("buffer: of length 0, of another type, for a stream", async () => {
  const from = source(["x"]);
  await assertRejects(
    () => pipe(from, sink([]), { buffer: new Uint8Array() }),
    RangeError,
    "Cannot pipe as 'buffer' must have a length of at least 1 byte: got 0",
  );
  assertEquals(from.views, []);
  const stream = new ReadableStream();
  await assertRejects(() => pipe(stream, sink([]), { buffer: new Uint8Array(8) }), TypeError);
  assert(!stream.locked);
});

test("a byte source that closes without respond(0) ends the pipe", { on }, async () => {
  const readable = new ReadableStream({ type: "bytes", pull: (its) => its.close() });
  const pool = new RecordingPool();
  assertEquals((await pipe(readable, new WritableStream(), { pool })).bytes, 0);
  assertEquals([readable.locked, pool.lent], [false, 0]);
});

for (const branches of [1, 2]) {
  test(
    `a teed byte source that closes without respond(0) ends ${branches} pipes`,
    { on },
    async () => {
      for (const push of [false, true]) {
        let left = 3;
        const step = (its: ReadableByteStreamController) => {
          if (left-- > 0) its.enqueue(bytes("x"));
          else its.close();
        };
        const readable = new ReadableStream({
          type: "bytes",
          start: async (its) => {
            for (; push && left >= 0; step(its)) await delay(1);
          },
          pull: (its) => push ? undefined : step(its),
        });
        const [a, b] = readable.tee();
        if (branches === 1) b.cancel().catch(() => {});
        const pool = new RecordingPool();
        const piped = [a, b].slice(0, branches).map((from) => pipe(from, sink([]), { pool }));
        for (const { bytes } of await Promise.all(piped)) assertEquals(bytes, 3);
        assertEquals([a.locked, b.locked, pool.lent], [false, false, 0]);
      }
    },
  );
}

test("a byte source that fails ends the pipe, and leaves no buffer lent", { on }, async () => {
  const readable = new ReadableStream({ type: "bytes", pull: () => Promise.reject(cause) });
  const pool = new RecordingPool();
  assertStrictEquals(await rejection(pipe(readable, new WritableStream(), { pool })), cause);
  assertEquals([readable.locked, pool.lent], [false, 0]);
});

test("much data through a byte stream into a sink that queues", { on }, async () => {
  const data = pattern(2_000_000);
  let at = 0;
  const readable = new ReadableStream({
    type: "bytes",
    async pull(controller) {
      await turns(at % 5 === 0 ? 1 : 0);
      if (at === data.length) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else {
        controller.enqueue(data.slice(at, at += Math.min(70_001, data.length - at)));
      }
    },
  });
  const queue = new TransformStream({}, { highWaterMark: 1000 }, { highWaterMark: 1000 });
  const piped = pipe(readable, queue.writable);
  await turns(50);
  const chunks: Uint8Array[] = [];
  const reader = queue.readable.getReader();
  for (let result = await reader.read(); !result.done; result = await reader.read()) {
    chunks.push(result.value);
  }
  assertEquals((await piped).bytes, data.length);
  assertEquals(concat(chunks), data);
});

for (const [what, fails] of [["its source has failed", cause], ["its source has ended"]] as const) {
  test(`an abort ends a pipe that waits for a stuck write when ${what}`, async () => {
    const controller = new AbortController();
    const to = sink(["abort"], () => never());
    const done = rejection(pipe(
      new ReadableStream({
        start(input) {
          input.enqueue(bytes("stuck"));
          if (!fails) return input.close();
          setTimeout(() => input.error(fails));
        },
      }),
      to,
      { signal: controller.signal },
    ));
    await turns();
    await delay(10);
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await done, fails ?? reason);
    assertEquals(to.calls, [["abort", fails ?? reason]]);
  });
}

test("an abort ends a pipe that waits for a stuck closeWrite", async () => {
  const controller = new AbortController();
  const to = { ...sink(["abort"]), closeWrite: () => never() };
  const done = rejection(pipe(source(["all"]), to, { signal: controller.signal }));
  await turns();
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await done, reason);
  assertEquals(to.calls, [["abort", reason]]);
});

test("an abort ends a pipe whenever it comes, before a closeWrite that hangs or in it", async () => {
  const reason = new Error("enough");
  for (let depth = 0; depth < 16; depth++) {
    const controller = new AbortController();
    const written = deferred();
    const to = {
      ...sink(["abort"], ({ length }) => written.promise.then(() => length)),
      closeWrite: () => never(),
    };
    const done = rejection(pipe(source(["all"]), to, { signal: controller.signal }));
    await turns();
    written.resolve();
    for (let turn = 0; turn < depth; turn++) await undefined;
    controller.abort(reason);
    assertStrictEquals(await done, reason, `${depth} microtasks after the write`);
    assertEquals(to.calls, [["abort", reason]]);
  }
});
