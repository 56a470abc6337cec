/** How both ends are torn down: at once, whole, bounded, and without waiting for a write. */
import type { Pair } from "@webstreams/join";
import { assertEquals, assertGreaterOrEqual, assertLess, assertStrictEquals } from "@std/assert";
import { deferred, never, rejection, took, turns } from "../support/async.ts";
import { assertTornDown, failsBy, joinError, where } from "../support/errors.ts";
import type { FakeEnd, FakeEndOptions } from "../support/fake_end.ts";
import { PAIRS, testRoutes, type Trial } from "../support/routes.ts";

const cause = new Error("the first error");
/** Well below the second that a teardown may take, on a busy machine. */
const AT_ONCE_MS = 700;

testRoutes("both ends are torn down in the same turn", async (t) => {
  const order: string[] = [];
  const ended = deferred();
  const record = (name: string) => () => {
    order.push(name);
    queueMicrotask(() => queueMicrotask(() => setTimeout(() => order.push("next turn"))));
    return ended.promise;
  };
  const on = (end: string) => ({
    close: record(`${end} close`),
    abort: record(`${end} abort`),
    cancel: record(`${end} cancel`),
  });
  const [a, b] = [t.end({ on: on("a"), abort: true }), t.end({ on: on("b"), abort: true })];
  const joined = t.join(a, b);
  await b.waiting();
  t.controller.abort(cause);
  await turns();
  ended.resolve();
  const first = order.slice(0, order.indexOf("next turn"));
  const parts = t.route.kind === "conn" ? ["abort"] : ["abort", "cancel", "close"];
  assertEquals(
    new Set(first),
    new Set(["a", "b"].flatMap((end) => parts.map((part) => `${end} ${part}`))),
  );
  assertEquals(await joined.catch((error) => error), cause);
});

testRoutes("a stuck close, abort and cancel are waited for no longer than a second", async (t) => {
  const on = { close: never, abort: never, cancel: never };
  const [a, b] = t.ends({ on });
  const joined = t.join(a, b);
  a.failRead(cause);
  const start = performance.now();
  const ms = await took(() => failsBy(cause, joined));
  assertLess(ms, 3000);
  assertGreaterOrEqual(performance.now() - start, 900);
  assertTornDown(b, cause);
}, { kinds: ["conn", "default"], via: "auto" });

testRoutes("a close that takes its time is waited for", async (t) => {
  const closing = deferred();
  const on = { close: () => closing.promise };
  const [a, b] = t.ends({ on });
  const joined = t.join(a, b);
  a.failRead(cause);
  await b.called("close");
  await turns();
  assertEquals(t.settled, 0);
  closing.resolve();
  await failsBy(cause, joined);
});

testRoutes("what the ends throw when they are torn down is swallowed", async (t) => {
  const late = () => Promise.reject(new Error("late"));
  const on = { close: late, abort: late, cancel: late };
  const [a, b] = t.ends({ on, abort: true });
  const joined = t.join(a, b);
  b.failRead(cause);
  await failsBy(cause, joined);
  assertTornDown(a, cause);
  await turns();
});

testRoutes("a stuck write does not hold a failure of the other direction up", async (t) => {
  const [a, b] = t.ends({ abort: true });
  b.stall();
  const joined = t.join(a, b);
  a.send("stuck");
  await b.until(() => b.writes === 1);
  b.failRead(cause);
  const ms = await took(() => failsBy(cause, joined));
  assertLess(ms, AT_ONCE_MS);
  assertTornDown(a, cause);
  assertTornDown(b, cause, { readOver: true, writeOver: true });
  if (b.kind !== "conn") assertStrictEquals(b.aborted?.reason, cause);
});

testRoutes("after a failed read the chunk in flight is waited for", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b);
  a.send("in flight");
  await b.until(() => b.writes === 1);
  a.errorReadable(cause);
  await turns();
  assertEquals([t.settled, b.ended], [0, []]);
  write.resolve();
  const error = await failsBy(cause, joined);
  assertEquals(b.text, "in flight");
  assertEquals(error.aToB, { bytes: 9, chunks: 1 });
  assertTornDown(b, cause);
}, PAIRS);

testRoutes("... for at most a second", async (t) => {
  const [a, b] = t.ends();
  b.stall();
  const joined = t.join(a, b);
  a.send("in flight");
  await b.until(() => b.writes === 1);
  a.errorReadable(cause);
  const start = performance.now();
  const ms = await took(() => failsBy(cause, joined));
  assertGreaterOrEqual(performance.now() - start, 900);
  assertLess(ms, 2500);
  assertStrictEquals(b.aborted?.reason, cause);
}, { kinds: ["default"], via: "auto" });

testRoutes("... and not if the signal aborts", async (t) => {
  const [a, b] = t.ends();
  b.stall();
  const joined = t.join(a, b);
  a.send("in flight");
  await b.until(() => b.writes === 1);
  a.errorReadable(cause);
  await turns();
  const reason = new Error("enough");
  t.controller.abort(reason);
  const ms = await took(async () => assertStrictEquals(await joined.catch((e) => e), reason));
  assertLess(ms, AT_ONCE_MS);
  assertStrictEquals(b.aborted?.reason, reason);
}, PAIRS);

for (const how of ["ended", "failed"]) {
  testRoutes(`a write that settles after an abort, the read having ${how}`, async (t) => {
    const [a, b] = t.ends();
    const write = deferred();
    b.onWrite = () => write.promise;
    const joined = t.join(a, b);
    a.send("in flight");
    await b.until(() => b.writes === 1);
    if (how === "ended") a.closeReadable();
    else a.errorReadable(cause);
    await turns();
    t.controller.abort("enough");
    assertEquals(await rejection(joined), "enough");
    write.resolve();
    await turns();
    assertEquals(b.ended.includes("closeWrite"), false);
  }, PAIRS);
}

testRoutes("a half-closed end is torn down as well", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const joined = t.join(a, b);
  a.finish("question");
  await b.called("closeWrite");
  b.failRead(cause);
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["bToA", "read", "b"]);
  assertTornDown(a, cause, { readOver: true });
  assertTornDown(b, cause, { readOver: true, halfClosed: true });
});

for (const halfClose of [true, false, "receive"] as const) {
  testRoutes(
    `a close that fails after success is reported (halfClose: ${halfClose})`,
    async (t) => {
      const on = { close: () => Promise.reject(cause) };
      const [a, b] = [t.end(), t.end({ on, halfClose })];
      const joined = t.join(a, b);
      a.finish("question");
      await b.got("question");
      b.finish("answer");
      const error = await failsBy(cause, joined);
      assertEquals(where(error), [undefined, undefined, "b"]);
      assertEquals(error.message, "Closing 'b' failed: the first error");
      assertEquals([error.aToB.bytes, error.bToA.bytes, error.other], [8, 6, undefined]);
      assertEquals([a.text, b.ended.filter((name) => name === "close")], ["answer", ["close"]]);
      assertEquals(a.ended, ["closeWrite", "close"], "it is closed, and not torn down");
    },
  );
}

testRoutes("... of both ends, and one that throws", async (t) => {
  const second = new Error("another");
  const [a, b] = [cause, second].map((error) =>
    t.end({
      on: {
        close: () => {
          throw error;
        },
      },
    })
  );
  const joined = t.join(a, b);
  a.finish();
  b.finish();
  const { end, other } = await failsBy(cause, joined);
  assertEquals([end, other], ["a", { cause: second, end: "b" }]);
});

/** As a serial port, whose `close()` refuses while one of its streams is locked. */
function serialPort(t: Trial, options: FakeEndOptions = {}): { port: FakeEnd; open(): boolean } {
  let open = true;
  const port: FakeEnd = t.end({
    ...options,
    on: {
      close: () => {
        const { readable, writable } = port.end as Pair;
        if (readable.locked || writable.locked) throw new Error("Cannot close a locked port");
        open = false;
      },
    },
  });
  return { port, open: () => open };
}

for (const halfClose of [true, false, "receive"] as const) {
  testRoutes(`a serial port is unlocked, then closed (halfClose: ${halfClose})`, async (t) => {
    const [a, { port, open }] = [t.end(), serialPort(t, { halfClose })];
    const joined = t.join(a, port);
    port.send("question");
    await a.got("question");
    port.finish();
    a.finish();
    assertEquals((await joined).ended, "eof");
    assertEquals(open(), false);
  }, PAIRS);
}

testRoutes("... after halfCloseTimeout", async (t) => {
  const [a, { port, open }] = [t.end(), serialPort(t)];
  const joined = t.join(a, port, { halfCloseTimeout: 50 });
  a.finish();
  assertEquals((await joined).ended, "timeout");
  assertEquals(open(), false);
}, PAIRS);

for (const stalled of [false, true]) {
  testRoutes(`... after a failure${stalled ? " with a write that is stuck" : ""}`, async (t) => {
    const [a, { port, open }] = [t.end(), serialPort(t)];
    if (stalled) port.stall();
    const joined = t.join(a, port);
    a.send("in flight");
    await port.until(() => port.writes === 1);
    t.controller.abort(cause);
    assertStrictEquals(await rejection(joined), cause);
    assertEquals(open(), false);
    assertTornDown(port, cause, { writeOver: stalled });
  }, PAIRS);
}

testRoutes("a write that fulfils during the teardown still counts", async (t) => {
  const closing = deferred();
  const [a, b] = [t.end({ on: { close: () => closing.promise } }), t.end({ highWaterMark: 5 })];
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b, { limit: { bToA: 1 } });
  a.send("in flight");
  await b.until(() => b.writes === 1);
  b.send("more than one");
  await b.called("close");
  write.resolve();
  await turns();
  closing.resolve();
  const error = await joinError(joined);
  assertEquals([b.text, error.aToB.bytes], ["in flight", 9]);
}, { kinds: ["default"], via: "auto" });

testRoutes("a join that has failed touches nothing any more", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  a.onWrite = () => write.promise;
  const joined = t.join(a, b);
  b.send("first");
  b.send("second");
  await a.until(() => a.writes === 1);
  b.failRead(cause);
  a.failRead(cause);
  await failsBy(cause, joined);
  const before = [a.reads, a.writes, b.reads, b.writes];
  write.resolve();
  await turns();
  assertEquals([a.reads, a.writes, b.reads, b.writes], before);
});

testRoutes("a write that settles after the teardown is not counted", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b);
  a.send("too late");
  await b.until(() => b.writes === 1);
  b.failRead(cause);
  await failsBy(cause, joined);
  const before = structuredClone(t.stats);
  write.resolve();
  await turns();
  assertEquals(t.stats, before);
});
