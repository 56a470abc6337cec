/** `halfCloseTimeout` and `idleTimeout`: silence, not age. */
import { join } from "@webstreams/join";
import { assert, assertEquals, assertInstanceOf, assertLess } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, delay, macrotask, never, rejection, took, turns } from "../support/async.ts";
import { assertTornDown, joinError, where } from "../support/errors.ts";
import { BYTES } from "../support/fake_end.ts";
import { PAIRS, SOME, testRoutes } from "../support/routes.ts";

const TIMEOUT = 150;

testRoutes("the direction that is left may be silent for halfCloseTimeout", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { halfCloseTimeout: TIMEOUT });
  await delay(TIMEOUT * 1.5);
  assertEquals(t.settled, 0, "it is no timeout of the whole");
  a.finish("question");
  await b.called("closeWrite");
  const start = performance.now();
  const { ended, aToB } = await joined;
  assert(performance.now() - start >= TIMEOUT - 10);
  assertEquals([ended, aToB.bytes], ["timeout", 8]);
  assertEquals(b.ended.filter((name) => name !== "cancel"), ["closeWrite", "close"]);
  assertEquals(a.ended.at(-1), "close");
  assert(!a.ended.includes("abort"));
}, { kinds: ["default"] });

testRoutes("... silent, not old", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { halfCloseTimeout: TIMEOUT });
  b.finish("greeting");
  await a.called("closeWrite");
  const start = performance.now();
  let sent = 0;
  while (performance.now() - start < TIMEOUT * 2) {
    a.send(".");
    sent++;
    await delay(TIMEOUT / 10);
  }
  assertEquals(t.settled, 0);
  const { ended, aToB } = await joined;
  assertEquals([ended, aToB.bytes], ["timeout", sent]);
  assertEquals([a.ended.at(-1), b.ended.at(-1)], ["close", "close"]);
}, SOME);

testRoutes("the silence of a stuck write ends in a timeout, too", async (t) => {
  const [a, b] = t.ends();
  b.stall();
  const joined = t.join(a, b, { halfCloseTimeout: 50 });
  b.finish();
  await a.called("closeWrite");
  a.send("stuck");
  const { ended, aToB } = await joined;
  assertEquals([ended, aToB], ["timeout", { bytes: 0, chunks: 0 }]);
  assert(b.ended.includes("close"));
}, { via: "auto" });

testRoutes("ends that are slow to close do not hold a timeout up", async (t) => {
  const on = { close: never, cancel: never };
  const [a, b] = t.ends({ on });
  const joined = t.join(a, b, { halfCloseTimeout: 50 });
  a.finish();
  const ms = await took(async () => assertEquals((await joined).ended, "timeout"));
  assertLess(ms, 3000);
}, { kinds: ["default"], via: "auto" });

testRoutes("what a timeout provokes is no failure", async (t) => {
  const late = () => Promise.reject(new Error("late"));
  const [a, b] = t.ends({ on: { close: late, cancel: late } });
  const joined = t.join(a, b, { halfCloseTimeout: 50 });
  a.finish();
  assertEquals((await joined).ended, "timeout");
  await turns();
});

testRoutes("no timer is set before one end of two that half-close has ended", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.send("question");
  await b.got("question");
  await turns();
  assertEquals(t.timers.delays.filter((ms) => ms > 0), []);
  a.finish();
  b.finish();
  await joined;
});

testRoutes("... and one of an hour after that, unless another is asked for", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.finish("question");
  await b.called("closeWrite");
  await turns();
  const longest = Math.max(...t.timers.delays);
  assert(longest > 3_599_000 && longest <= 3_600_000, `the longest timer takes ${longest} ms`);
  b.finish();
  assertEquals((await joined).ended, "eof");
});

testRoutes("the silence of the hand-over itself ends in a timeout, too", async (t) => {
  // With room, so that the end is read behind what is stuck.
  const [a, b] = t.ends({ consumesOnWrite: false, highWaterMark: 10 });
  b.stall();
  const joined = t.join(a, b, { halfCloseTimeout: 50 });
  a.finish("stuck");
  const { ended, aToB } = await joined;
  assertEquals([ended, aToB.bytes], ["timeout", 0]);
}, { kinds: ["default"], via: "auto" });

testRoutes("what is dropped breaks no silence", async (t) => {
  const [a, b] = [t.end({ halfClose: false }), t.end()];
  const joined = t.join(a, b, { halfCloseTimeout: TIMEOUT });
  a.finish();
  await b.called("closeWrite");
  const start = performance.now();
  while (t.settled === 0 && performance.now() - start < TIMEOUT * 20) {
    b.send(".");
    await delay(TIMEOUT / 20);
  }
  const { ended, bToA } = await joined;
  assertEquals([ended, bToA.bytes], ["timeout", 0]);
}, SOME);

testRoutes("an hour it is as well for one that has been half-closed by a file's end", async (t) => {
  const [a, b] = [t.end(), t.end({ halfClose: "receive" })];
  const joined = t.join(a, b);
  b.finish("question");
  await a.called("closeWrite");
  await turns();
  assert(Math.max(...t.timers.delays) > 3_599_000);
  a.finish("answer, an hour later");
  assertEquals((await joined).ended, "eof");
  assertEquals(b.text, "answer, an hour later");
});

for (
  const [first, halfClose] of [["a", false], ["b", false], ["a", "receive"]] as const
) {
  testRoutes(
    `where b (${halfClose}) cannot half-close it is 30 s, ${first} having ended`,
    async (t) => {
      const [a, b] = [t.end(), t.end({ halfClose })];
      const joined = t.join(a, b);
      await turns();
      const ends = { a, b };
      ends[first].finish();
      if (first === "b") await a.called("closeWrite");
      await turns();
      const longest = Math.max(...t.timers.delays);
      assert(longest > 29_000 && longest <= 30_000, `the longest timer takes ${longest} ms`);
      (first === "a" ? b : a).finish();
      assertEquals((await joined).ended, "eof");
    },
  );
}

testRoutes("... unless another is asked for", async (t) => {
  const [a, b] = [t.end(), t.end({ halfClose: false })];
  const joined = t.join(a, b, { halfCloseTimeout: Infinity });
  a.finish();
  await turns();
  assertEquals(t.timers.delays.filter((ms) => ms > 0), []);
  b.finish();
  await joined;
});

testRoutes("idleTimeout: nothing moves either way", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { idleTimeout: TIMEOUT });
  const start = performance.now();
  a.send("hello");
  const error = await joinError(joined);
  assert(performance.now() - start >= TIMEOUT - 10);
  assertInstanceOf(error.cause, DOMException);
  assertEquals(error.cause.name, "TimeoutError");
  assert(error.cause.message.includes(`${TIMEOUT} ms`));
  assertEquals(where(error), [undefined, undefined, undefined]);
  assertEquals(error.aToB, { bytes: 5, chunks: 1 });
  assertTornDown(a, error.cause);
  assertTornDown(b, error.cause);
}, SOME);

testRoutes("traffic either way keeps both directions from being idle", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { idleTimeout: TIMEOUT });
  const start = performance.now();
  for (let round = 0; performance.now() - start < TIMEOUT * 3; round++) {
    (round % 20 < 10 ? a : b).send(".");
    await delay(TIMEOUT / 10);
  }
  assertEquals(t.settled, 0);
  a.finish();
  b.finish();
  await joined;
}, { kinds: [BYTES] });

for (const silence of ["idleTimeout", "halfCloseTimeout"] as const) {
  testRoutes(`${silence}: a thread that has stood still reads first what has come`, async (t) => {
    const [a, b] = t.ends();
    const joined = t.join(a, b, { [silence]: TIMEOUT });
    if (silence === "halfCloseTimeout") {
      b.finish();
      await a.called("closeWrite");
    }
    // No timers: once they are nested, a page's take 4 ms.
    for (let task = 0; task < 5; task++) await macrotask();
    const start = performance.now();
    while (performance.now() - start < TIMEOUT * 2);
    // Behind the timer of the join, which has been due for a while.
    await delay(0);
    a.send(".");
    await turns();
    assertEquals(t.settled, 0);
    t.controller.abort(new Error("enough"));
    await rejection(joined);
  });
}

testRoutes("a stuck write is idle", async (t) => {
  const [a, b] = t.ends();
  b.stall();
  const joined = t.join(a, b, { idleTimeout: 50 });
  a.send("stuck");
  const error = await joinError(joined);
  assertInstanceOf(error.cause, DOMException);
  assertTornDown(b, error.cause, { writeOver: true });
});

testRoutes("a half-closed join can be idle", async (t) => {
  const [a, b] = t.ends();
  // Long enough for a busy machine to hand the end on before.
  const joined = t.join(a, b, { idleTimeout: 500 });
  a.finish();
  const error = await joinError(joined);
  assertInstanceOf(error.cause, DOMException);
  assertTornDown(b, error.cause, { halfClosed: true });
}, { via: "auto" });

testRoutes("halfCloseTimeout goes before an equal idleTimeout", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { idleTimeout: 10_000, halfCloseTimeout: 50 });
  a.finish();
  assertEquals((await joined).ended, "timeout");
}, { via: "auto" });

testRoutes("waiting for the rate is not idle", async (t) => {
  const [a, b] = t.ends();
  const rate = 1000;
  // A burst of 100 bytes, and what takes twice the timeout.
  const joined = t.join(a, b, { rate, idleTimeout: TIMEOUT, halfCloseTimeout: TIMEOUT });
  a.send(new Uint8Array(100 + rate * TIMEOUT * 2 / 1000));
  a.finish();
  await b.called("closeWrite");
  b.finish();
  assertEquals((await joined).ended, "eof");
}, { kinds: ["default"] });

testRoutes("one byte that waits longer than the timeout for its rate is not idle", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { rate: { aToB: 2.5 }, idleTimeout: 100 });
  a.finish("ab");
  await b.called("closeWrite");
  b.finish();
  assertEquals((await joined).aToB.bytes, 2);
}, { kinds: ["conn"], via: "auto" });

testRoutes("a timeout during the wait for a chunk in flight", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const cause = new Error("the first error");
  const joined = t.join(a, b, { idleTimeout: 50 });
  a.send("in flight");
  await b.until(() => b.writes === 1);
  a.errorReadable(cause);
  const error = await joinError(joined);
  assertEquals(error.cause, cause);
}, PAIRS);

for (const via of ["auto", "pipeTo"] as const) {
  test(`halfCloseTimeout: a writable that has no room, and no write under way, is closed (${via})`, async () => {
    const calls: string[] = [];
    const a = {
      readable: new ReadableStream({ start: (its) => its.enqueue(new Uint8Array(1)) }),
      writable: new WritableStream(),
    };
    const b = {
      readable: new ReadableStream({ start: (its) => its.close() }),
      writable: new WritableStream({
        close: () => void calls.push("close"),
        abort: () => void calls.push("abort"),
      }, { highWaterMark: 0 }),
    };
    const { ended } = await join(a, b, { via, halfCloseTimeout: 50 });
    assertEquals([ended, calls], ["timeout", ["close"]]);
  });
}
