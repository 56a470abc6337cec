/** The `signal` option. */
import { join, memoryPair } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertLess, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { delay, never, rejection, took, turns } from "../support/async.ts";
import { FakeEnd } from "../support/fake_end.ts";
import { assertTornDown } from "../support/errors.ts";
import { testRoutes } from "../support/routes.ts";
import { CountingController } from "../support/signal.ts";
import { watchTimers } from "../support/timers.ts";

const AT_ONCE_MS = 700;
const reason = new Error("enough");

testRoutes("the signal was aborted before", async (t) => {
  const [a, b] = t.ends({ abort: true });
  t.controller.abort(reason);
  assertStrictEquals(await rejection(t.join(a, b)), reason);
  assertEquals([a.writes, b.writes], [0, 0]);
  if (t.route.kind === "conn") assertEquals([a.reads, b.reads], [0, 0]);
  assertTornDown(a, reason);
  assertTornDown(b, reason);
  assertEquals(t.controller.added, 0);
  const none = { bytes: 0, chunks: 0 };
  assertEquals(t.stats, { aToB: none, bToA: none });
});

testRoutes("the signal aborts while both ends are read", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const joined = t.join(a, b);
  a.send("hello");
  await b.got("hello");
  await turns();
  assertEquals(t.controller.added, 1);
  t.controller.abort(reason);
  assertStrictEquals(await rejection(joined), reason);
  assertTornDown(a, reason);
  assertTornDown(b, reason);
  assertEquals(t.stats.aToB, { bytes: 5, chunks: 1 });
});

testRoutes("the signal aborts during writes that never settle, both ways", async (t) => {
  const [a, b] = t.ends({ abort: true });
  a.stall();
  b.stall();
  const joined = t.join(a, b);
  a.send("stuck");
  b.send("stuck too");
  await a.until(() => a.writes === 1);
  await b.until(() => b.writes === 1);
  a.send("behind");
  b.send("behind");
  await turns();
  t.controller.abort(reason);
  const ms = await took(async () => assertStrictEquals(await rejection(joined), reason));
  assertLess(ms, AT_ONCE_MS);
  assertTornDown(a, reason, { writeOver: true });
  assertTornDown(b, reason, { writeOver: true });
  if (t.route.kind !== "conn") {
    assertStrictEquals(a.aborted?.reason, reason);
    assertStrictEquals(b.aborted?.reason, reason);
  }
});

testRoutes("the signal aborts while one direction waits for its rate", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { rate: 10 });
  a.send("0123456789".repeat(100));
  await b.until(() => b.received.length > 0);
  t.controller.abort(reason);
  const ms = await took(async () => assertStrictEquals(await rejection(joined), reason));
  assertLess(ms, AT_ONCE_MS);
});

testRoutes("the signal aborts when one direction has ended", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.finish("question");
  await b.called("closeWrite");
  t.controller.abort(reason);
  assertStrictEquals(await rejection(joined), reason);
  assertTornDown(a, reason, { readOver: true });
  assertTornDown(b, reason, { halfClosed: true });
});

testRoutes("the signal aborts during a half-close that never settles", async (t) => {
  const [a, b] = [t.end(), t.end({ on: { closeWrite: () => new Promise(() => {}) } })];
  const joined = t.join(a, b);
  a.finish();
  await b.called("closeWrite");
  t.controller.abort(reason);
  const ms = await took(async () => assertStrictEquals(await rejection(joined), reason));
  assertLess(ms, 2500);
}, { kinds: ["default"], via: "auto" });

testRoutes("the signal aborts during the closing of both ends", async (t) => {
  const [a, b] = [t.end(), t.end({ on: { close: () => new Promise(() => {}) } })];
  const joined = t.join(a, b);
  a.finish();
  b.finish();
  await b.called("close");
  t.controller.abort(reason);
  const ms = await took(async () => assertStrictEquals(await rejection(joined), reason));
  assertEquals(b.ended, ["closeWrite", "close"]);
  assertLess(ms, 2500);
}, { kinds: ["conn"] });

for (const value of [null, 0, "", "a text", Symbol.iterator, new WeakMap()]) {
  testRoutes(`the reason may be of any type: ${String(value) || "an empty text"}`, async (t) => {
    const [a, b] = t.ends({ abort: true });
    const joined = t.join(a, b);
    t.controller.abort(value);
    assertStrictEquals(await rejection(joined), value);
    assertTornDown(a, value);
    assertTornDown(b, value);
  });
}

testRoutes("without a reason of its own it is an AbortError", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  t.controller.abort();
  const error = await rejection(joined);
  assertInstanceOf(error, DOMException);
  assertEquals(error.name, "AbortError");
  assertStrictEquals(error, t.controller.signal.reason);
});

testRoutes("an abort after the end changes nothing", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.finish();
  b.finish();
  await joined;
  const calls = [a.ended, b.ended];
  t.controller.abort(reason);
  await turns();
  assertEquals([a.ended, b.ended], calls);
});

test("one signal for many joins keeps a listener for none", async () => {
  const controller = new CountingController();
  for (let round = 0; round < 20; round++) {
    const [a, b] = [new FakeEnd("default"), new FakeEnd("conn")];
    const joined = join(a.end, b.end, { signal: controller.signal });
    a.finish();
    b.finish();
    await joined;
  }
  assertEquals([controller.added, controller.listeners], [20, 0]);
});

test("an abort while all streams are found closed leaves no timer", async () => {
  for (let depth = 0; depth < 12; depth++) {
    const timers = watchTimers();
    try {
      const ends = await Promise.all([0, 1].map(async () => {
        const writable = new WritableStream<Uint8Array<ArrayBuffer>>();
        await writable.close();
        const readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
          start: (input) => input.close(),
        });
        return { readable, writable };
      }));
      const controller = new AbortController();
      const joined = join(ends[0], ends[1], { signal: controller.signal, idleTimeout: 5000 })
        .catch(() => {});
      for (let turn = 0; turn < depth; turn++) await undefined;
      controller.abort();
      await joined;
      assertEquals(timers.pending.size, 0, `${depth} microtasks after the start`);
    } finally {
      timers.restore();
    }
  }
});

test("an abort does not wait for a close that hangs, nor for its timer", async () => {
  const timers = watchTimers();
  try {
    const [here, there] = memoryPair();
    const controller = new AbortController();
    const gone = {
      read: () => null,
      write: (p: Uint8Array) => p.length,
      close: () => never(),
    };
    const joined = rejection(join(gone, here, { signal: controller.signal }));
    await there.writable.close();
    await delay(20);
    controller.abort(reason);
    assertStrictEquals(await joined, reason);
    assertEquals(timers.pending.size, 0);
  } finally {
    timers.restore();
  }
});

test("the signal aborts in the very read that the end of the other end has begun: no timer is left", async () => {
  const controller = new AbortController();
  let ended!: () => void;
  let reads = 0;
  const a = {
    readable: new ReadableStream({ start: (its) => void (ended = () => its.close()) }),
    writable: new WritableStream({ write: never }),
    halfClose: false,
  };
  const b = {
    read(into: Uint8Array<ArrayBuffer>) {
      if (reads++ > 0) controller.abort(reason);
      return into.length > 0 ? 1 : 0;
    },
    write: (bytes: Uint8Array<ArrayBuffer>) => bytes.length,
    close() {},
  };
  const timers = watchTimers();
  try {
    const joined = join(a, b, { signal: controller.signal, halfCloseTimeout: 60_000 });
    await turns();
    ended();
    assertStrictEquals(await rejection(joined), reason);
    assertEquals(timers.pending.size, 0);
  } finally {
    timers.restore();
  }
});

test("the signal aborts in the first read of what is dropped after a drain: nothing more is called", async () => {
  const controller = new AbortController();
  const drain = new AbortController();
  const calls: string[] = [];
  let reads = 0;
  const a = {
    read() {
      if (++reads === 1) return 1;
      controller.abort(reason);
      return never<null>();
    },
    write: (bytes: Uint8Array<ArrayBuffer>) => bytes.length,
    close() {},
  };
  const b = {
    read: () => never<null>(),
    async write(bytes: Uint8Array<ArrayBuffer>) {
      drain.abort();
      await turns();
      return bytes.length;
    },
    closeWrite: () => void calls.push("closeWrite"),
    abort: () => void calls.push("abort"),
    close: () => void calls.push("close"),
  };
  const joined = join(a, b, { signal: controller.signal, drain: drain.signal });
  assertStrictEquals(await rejection(joined), reason);
  await turns();
  assertEquals([reads, calls], [2, ["abort"]]);
});
