/** `limit`, `rate`, `stats`, `preventClose`, `pool`; `signal` and the timeouts have files of their own. */
import { BufferPool, join, type JoinStats, LimitError, memoryPair } from "@webstreams/join";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertStrictEquals,
} from "@std/assert";
import { test } from "../harness.ts";
import { deferred, delay, never, rejection, took, turns } from "../support/async.ts";
import { bytes, concat, lengthOf } from "../support/bytes.ts";
import { pattern } from "../support/parcels.ts";
import { FINDS_LITTLE } from "../support/deviations.ts";
import { platform } from "../support/environment.ts";
import { assertTornDown, failsBy, joinError } from "../support/errors.ts";
import { BYTES, FakeEnd } from "../support/fake_end.ts";
import { passed } from "../support/outcome.ts";
import { PAIRS, SOME, testRoutes } from "../support/routes.ts";

testRoutes("a source that ends exactly at the limit succeeds", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { limit: 10 });
  a.send("01234");
  a.finish("56789");
  b.finish("9876543210");
  const { aToB, bToA, ended } = await joined;
  assertEquals([ended, aToB.bytes, bToA.bytes], ["eof", 10, 10]);
});

testRoutes("the first byte past the limit fails, with exactly the limit delivered", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const joined = t.join(a, b, { limit: 10 });
  a.send("0123456");
  a.send("789x");
  const error = await joinError(joined);
  const { cause } = error;
  assertInstanceOf(cause, LimitError);
  assertEquals([cause.limit, cause.direction], [10, "aToB"]);
  assertEquals([error.direction, error.side, error.end], ["aToB", undefined, undefined]);
  assertEquals(error.aToB.bytes, 10);
  assertEquals(b.text, "0123456789");
  assertTornDown(a, cause);
  assertTornDown(b, cause);
});

testRoutes("a limit for one direction leaves the other alone", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { limit: { bToA: 3 } });
  a.send(pattern(5000));
  await b.gotBytes(5000);
  b.send("abc");
  await a.got("abc");
  b.send("d");
  const error = await joinError(joined);
  assertInstanceOf(error.cause, LimitError);
  assertEquals(error.cause.direction, "bToA");
  assertEquals([error.aToB.bytes, error.bToA.bytes], [5000, 3]);
  assertEquals(a.text, "abc");
});

testRoutes("each direction has its own limit", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { limit: { aToB: 4, bToA: 2 } });
  a.finish("four");
  b.send("two");
  const error = await joinError(joined);
  assertEquals([error.aToB.bytes, error.bToA.bytes], [4, 2]);
});

testRoutes("what has passed before the limit is delivered before the teardown", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b, { limit: 4 });
  a.send("four, and more");
  await b.until(() => b.writes === 1);
  await turns();
  assertEquals(t.settled, 0);
  write.resolve();
  assertInstanceOf((await joinError(joined)).cause, LimitError);
  assertEquals(b.text, "four");
});

testRoutes("... but a stuck one does not hold the teardown up for good", async (t) => {
  const [a, b] = t.ends({ highWaterMark: 10 });
  b.stall();
  const joined = t.join(a, b, { limit: 4 });
  a.send("four");
  a.send("more");
  const ms = await took(async () => assertInstanceOf((await joinError(joined)).cause, LimitError));
  assertLess(ms, 3000);
}, { kinds: ["default"], via: "auto" });

testRoutes("an empty chunk past the limit is no byte", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { limit: 4 });
  a.send("four");
  a.send(new Uint8Array());
  a.finish();
  b.finish();
  assertEquals((await joined).aToB.bytes, 4);
}, { kinds: ["default"] });

testRoutes("rate: so many bytes a second, with bursts of at most 100 ms", async (t) => {
  const [a, b] = t.ends();
  const rate = 20_000;
  const burst = rate / 10;
  const start = performance.now();
  const late: string[] = [];
  b.onWrite = (chunk) => {
    const most = (performance.now() - start) * rate / 1000 + burst;
    const passed = lengthOf(b.received) + chunk.length;
    if (passed > most + 1) late.push(`${passed} bytes where ${most} may pass`);
  };
  const data = pattern(burst + rate / 4);
  const joined = t.join(a, b, { rate: { aToB: rate } });
  a.send(data);
  a.finish();
  b.finish();
  await joined;
  assertEquals(late, []);
  assertGreaterOrEqual(performance.now() - start, 240);
  assertLess(performance.now() - start, 2000);
  assertEquals(concat(b.received), data);
}, SOME);

testRoutes("a rate for one direction leaves the other alone", async (t) => {
  const [a, b] = t.ends();
  const start = performance.now();
  const joined = t.join(a, b, { rate: { bToA: 1000 } });
  a.send(pattern(100_000));
  a.finish();
  await b.called("closeWrite");
  assertLess(performance.now() - start, 2000);
  assertEquals(lengthOf(b.received), 100_000);
  b.finish();
  await joined;
});

testRoutes("time that nothing is sent in buys no more than one burst", async (t) => {
  const [a, b] = t.ends();
  const rate = 5000;
  const joined = t.join(a, b, { rate });
  a.send("x");
  await b.got("x");
  await delay(250);
  const start = performance.now();
  a.send(pattern(1750));
  await b.gotBytes(1 + 1750);
  // All but the burst takes its time: (1750 - 500) / 5000 s.
  assertGreaterOrEqual(performance.now() - start, 240);
  a.finish();
  b.finish();
  await joined;
}, { kinds: ["conn"] });

testRoutes("stats are live, and there before join returns", async (t) => {
  const [a, b] = t.ends();
  const stats: JoinStats = {};
  const joined = t.join(a, b, { stats });
  const { aToB, bToA } = stats;
  assertEquals([aToB, bToA], [{ bytes: 0, chunks: 0 }, { bytes: 0, chunks: 0 }]);
  a.send("one");
  await b.got("one");
  await turns();
  assertEquals(aToB, { bytes: 3, chunks: 1 });
  a.send("three");
  await b.got("onethree");
  await turns();
  assertEquals(aToB, { bytes: 8, chunks: 2 });
  b.finish("two");
  await a.called("closeWrite");
  assertEquals(bToA, { bytes: 3, chunks: 1 });
  a.finish();
  const result = await joined;
  assertStrictEquals(stats.aToB, aToB);
  assertEquals(passed(result), { aToB: aToB!, bToA: bToA!, ended: "eof" });
});

testRoutes("a byte counts when the sink's write has fulfilled", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b);
  a.send("pending");
  await b.until(() => b.writes === 1);
  await turns();
  assertEquals(t.stats.aToB, { bytes: 0, chunks: 0 });
  write.resolve();
  await b.got("pending");
  await turns();
  assertEquals(t.stats.aToB, { bytes: 7, chunks: 1 });
  b.failWrites(new Error("no more"));
  a.send("never");
  assertEquals((await joinError(joined)).aToB, { bytes: 7, chunks: 1 });
}, { via: "auto" });

testRoutes("preventClose leaves both ends as they are", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { preventClose: true });
  a.finish("to b");
  await b.got("to b");
  b.finish("to a");
  assertEquals((await joined).ended, "eof");
  await turns();
  assertEquals([a.ended, b.ended], [[], []]);
  // They can be written to.
  for (const { end } of [a, b]) {
    if ("writable" in end) {
      const writer = end.writable.getWriter();
      await writer.write(new Uint8Array(1));
      writer.releaseLock();
    } else {
      assertEquals(await end.write(new Uint8Array(1)), 1);
    }
  }
});

for (const left of ["a", "b"] as const) {
  testRoutes(`preventClose leaves ${left} alone as it is`, async (t) => {
    const [a, b] = t.ends();
    const joined = t.join(a, b, { preventClose: { [left]: true } });
    a.finish("to b");
    b.finish("to a");
    await joined;
    await turns();
    const whole = ["closeWrite", "close"];
    assertEquals([a.ended, b.ended], left === "a" ? [[], whole] : [whole, []]);
  });
}

testRoutes("preventClose: a timeout leaves them, too", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { preventClose: { b: true }, halfCloseTimeout: 50 });
  a.finish();
  assertEquals((await joined).ended, "timeout");
  assertEquals(b.ended, []);
  assertEquals(a.ended.at(-1), "close");
}, { via: "auto" });

for (const via of ["auto", "pipeTo"] as const) {
  const name = "what comes while the other end is being closed is for whoever reads next";
  test(`preventClose: ${name} (${via})`, async () => {
    const [client, left] = memoryPair();
    const closing = deferred();
    const slow = {
      readable: new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (input) => input.close() }),
      writable: new WritableStream<Uint8Array<ArrayBuffer>>({
        close: () => {
          closing.resolve();
          return never();
        },
      }),
    };
    const options = { preventClose: { a: true }, halfCloseTimeout: 20, via };
    const joined = join(left, slow, options);
    await closing.promise;
    const writer = client.writable.getWriter();
    void writer.write(bytes("meanwhile"));
    void writer.close();
    assertEquals((await joined).ended, "timeout");
    const { value } = await left.readable.getReader().read();
    assertEquals(value, bytes("meanwhile"));
  });
}

testRoutes("preventClose: a failure tears them down all the same", async (t) => {
  const [a, b] = t.ends();
  const cause = new Error("the first error");
  const joined = t.join(a, b, { preventClose: true });
  a.failRead(cause);
  await failsBy(cause, joined);
  assertTornDown(a, cause, { readOver: true });
  assertTornDown(b, cause);
});

testRoutes("both pairs are locked before join returns, and unlocked when it settles", async (t) => {
  const [a, b] = t.ends();
  if (!("readable" in a.end && "readable" in b.end)) throw new Error("not pairs");
  const halves = [a.end.readable, a.end.writable, b.end.readable, b.end.writable];
  const joined = t.join(a, b);
  assertEquals(halves.map(({ locked }) => locked), [true, true, true, true]);
  a.finish();
  b.finish();
  await joined;
  assertEquals(halves.map(({ locked }) => locked), [false, false, false, false]);
}, PAIRS);

testRoutes("a pool of one's own is used, and a small one is enough", async (t) => {
  const [a, b] = t.ends();
  const pool = new BufferPool({ maxHeld: 1024, maxBuffer: 512 });
  const joined = t.join(a, b, { pool });
  await turns();
  const { kind, via } = t.route;
  // By the platform's pipeTo nothing consumes, and a byte stream reads into memory of its own.
  const lends = via === "auto" || FINDS_LITTLE.includes(platform);
  const pooled = kind === "conn" || kind === "bytes" && lends;
  assertEquals(pool.lent, pooled ? 1024 : 0);
  const data = pattern(10_000);
  a.send(data);
  a.finish();
  b.finish();
  await joined;
  assertEquals(concat(b.received), data);
  assert(a.views.every((view) => view.length <= 512));
  assert(pool.held <= 1024 && pool.lent === 0);
});

test("without options, and with none of them set", async () => {
  const all = {
    signal: undefined,
    idleTimeout: undefined,
    halfCloseTimeout: undefined,
    maxDuration: undefined,
    halfClose: undefined,
    drain: undefined,
    limit: undefined,
    rate: undefined,
    stats: undefined,
    pool: undefined,
    preventClose: undefined,
    via: undefined,
  };
  for (const options of [undefined, {}, all, { limit: {}, rate: {}, preventClose: {} }]) {
    const [a, b] = [new FakeEnd(BYTES), new FakeEnd("conn")];
    const joined = join(a.end, b.end, options);
    a.finish("x");
    b.finish("yz");
    const { aToB, bToA } = await joined;
    assertEquals([aToB.bytes, bToA.bytes], [1, 2]);
  }
});

test("a limit and a rate together", async () => {
  const [a, b] = [new FakeEnd("conn"), new FakeEnd("default")];
  const joined = join(a.end, b.end, { limit: 300, rate: 2000 });
  a.send(pattern(1000));
  const error = await rejection(joined);
  assert(error instanceof Error && error.cause instanceof LimitError);
  assertEquals(lengthOf(b.received), 300);
});
