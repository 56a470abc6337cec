/** Reads, writes and streams that fail: which error it is, and where it says that it happened. */
import { join } from "@webstreams/join";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, delay, macrotask, never, turns } from "../support/async.ts";
import { bytes } from "../support/bytes.ts";
import { assertTornDown, failsBy, joinError, where } from "../support/errors.ts";
import { CONNS, PAIRS, testRoutes } from "../support/routes.ts";

const cause = new Error("the first error");

testRoutes("a read of a fails", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.send("some");
  await b.got("some");
  a.failRead(cause);
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["aToB", "read", "a"]);
  assertEquals(error.aToB, { bytes: 4, chunks: 1 });
  assertEquals(error.message, "Reading from 'a' failed: the first error");
  assertTornDown(a, cause, { readOver: true });
  assertTornDown(b, cause);
});

testRoutes("a read of b fails", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  b.failRead(cause);
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["bToA", "read", "b"]);
  assertTornDown(b, cause, { readOver: true });
  assertTornDown(a, cause);
});

testRoutes("a write to b fails", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  b.send("fine");
  await a.got("fine");
  b.failWrites(cause);
  a.send("not fine");
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["aToB", "write", "b"]);
  assertEquals(error.bToA, { bytes: 4, chunks: 1 });
  assertEquals(error.message, "Writing to 'b' failed: the first error");
  assertTornDown(b, cause, { writeOver: true });
  assertTornDown(a, cause);
});

testRoutes("a write to a fails", async (t) => {
  const [a, b] = t.ends();
  a.failWrites(cause);
  const joined = t.join(a, b);
  b.send("not fine");
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["bToA", "write", "a"]);
  assertTornDown(a, cause, { writeOver: true });
  assertTornDown(b, cause);
});

for (const thrown of [undefined, null, 0, "a text", { code: 7 }]) {
  testRoutes(`a read fails with ${JSON.stringify(thrown)}`, async (t) => {
    const [a, b] = t.ends({ abort: true });
    const joined = t.join(a, b);
    a.failRead(thrown);
    const error = await joinError(joined);
    assertStrictEquals(error.cause, thrown);
    assertTornDown(b, thrown);
  });
}

for (const kind of ["stream", "Go-style"]) {
  for (const via of ["auto", "pipeTo"] as const) {
    test(`a write fails when its source has closed, with another chunk behind (${kind}, ${via})`, async () => {
      const write = deferred<number>();
      const started = deferred();
      let input!: ReadableStreamDefaultController;
      const a = {
        readable: new ReadableStream({ start: (its) => void (input = its) }),
        writable: new WritableStream(),
      };
      const take = () => {
        started.resolve();
        return write.promise;
      };
      const pair = {
        readable: new ReadableStream(),
        writable: new WritableStream({
          async write() {
            await take();
          },
        }),
      };
      const b = kind === "stream" ? pair : { read: () => never<null>(), write: take, close() {} };
      const failed = joinError(join(a, b, { via, halfCloseTimeout: 60_000 }));
      input.enqueue(bytes("first"));
      input.enqueue(bytes("second"));
      input.close();
      await started.promise;
      await turns();
      write.reject(cause);
      const error = await failed;
      assertStrictEquals(error.cause, cause);
      assertEquals(where(error), ["aToB", "write", "b"]);
    });
  }
}

testRoutes("the half-close fails", async (t) => {
  const [a, b] = [
    t.end(),
    t.end({
      on: {
        closeWrite: () => {
          throw cause;
        },
      },
    }),
  ];
  const joined = t.join(a, b);
  a.finish("all");
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["aToB", "write", "b"]);
  assertEquals(error.aToB, { bytes: 3, chunks: 1 });
  assertTornDown(a, cause, { readOver: true });
  assertTornDown(b, cause, { halfClosed: true });
});

testRoutes("a readable that was errored before", async (t) => {
  const [a, b] = t.ends();
  a.errorReadable(cause);
  const error = await failsBy(cause, t.join(a, b));
  assertEquals(where(error), ["aToB", "read", "a"]);
  assertTornDown(a, cause, { readOver: true });
  assertTornDown(b, cause);
}, PAIRS);

testRoutes("a readable that errors while it is read", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  await b.waiting();
  b.errorReadable(cause);
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["bToA", "read", "b"]);
  assertTornDown(a, cause);
}, PAIRS);

testRoutes("a writable that was errored before", async (t) => {
  const [a, b] = t.ends();
  b.errorWritable(cause);
  const error = await failsBy(cause, t.join(a, b));
  assertEquals(where(error), ["aToB", "write", "b"]);
  assertEquals(a.reads, 0);
  assertTornDown(a, cause);
  assertTornDown(b, cause, { writeOver: true });
}, PAIRS);

testRoutes("a writable that errors while nothing is written", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  await a.waiting();
  a.errorWritable(cause);
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["bToA", "write", "a"]);
  assertTornDown(a, cause, { writeOver: true });
  assertTornDown(b, cause);
}, PAIRS);

testRoutes("a writable that was closed before its turn", async (t) => {
  const [a, b] = t.ends();
  if (!("writable" in b.end)) throw new Error("not a pair");
  const writer = b.end.writable.getWriter();
  await writer.close();
  writer.releaseLock();
  const joined = t.join(a, b);
  a.send("where to?");
  const error = await joinError(joined);
  assertEquals(error.cause instanceof TypeError, true);
  assertEquals(where(error), ["aToB", "write", "b"]);
  assertTornDown(a, error.cause);
  assertTornDown(b, error.cause, { halfClosed: true });
}, PAIRS);

testRoutes("a writable that was closed before, and nothing to write to it", async (t) => {
  const [a, b] = t.ends();
  if (!("writable" in b.end)) throw new Error("not a pair");
  const writer = b.end.writable.getWriter();
  await writer.close();
  writer.releaseLock();
  a.closeReadable();
  const joined = t.join(a, b);
  b.finish("reply");
  const { aToB, bToA } = await joined;
  assertEquals([aToB.bytes, bToA.bytes], [0, 5]);
}, PAIRS);

testRoutes("a Go-style end that throws rather than rejects", async (t) => {
  const a = t.end();
  const b = t.end();
  Object.assign(a.end, {
    read() {
      throw cause;
    },
  });
  const error = await failsBy(cause, t.join(a, b));
  assertEquals(where(error), ["aToB", "read", "a"]);
}, CONNS);

testRoutes("... or its write does", async (t) => {
  const a = t.end();
  const b = t.end();
  Object.assign(b.end, {
    write() {
      throw cause;
    },
  });
  const joined = t.join(a, b);
  a.send("x");
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["aToB", "write", "b"]);
}, CONNS);

testRoutes("counts are not lost to an error, in either direction", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.send("four");
  await b.got("four");
  a.send("five!");
  await b.got("fourfive!");
  b.send("six");
  await a.got("six");
  await turns();
  a.failRead(cause);
  const { aToB, bToA } = await failsBy(cause, joined);
  assertEquals({ aToB, bToA }, { aToB: { bytes: 9, chunks: 2 }, bToA: { bytes: 3, chunks: 1 } });
  assertEquals(t.stats, { aToB, bToA });
});

testRoutes("the counts of an error are its own and final", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b);
  a.send("late");
  await b.until(() => b.writes === 1);
  b.failRead(cause);
  const error = await failsBy(cause, joined);
  const before = { ...error.aToB };
  write.resolve();
  await turns();
  assertEquals(error.aToB, before);
});

testRoutes("what the teardown provokes never replaces the first error", async (t) => {
  const late = () => {
    throw new Error("a late one");
  };
  const on = { close: late, abort: late, cancel: late };
  const [a, b] = t.ends({ on, abort: true });
  const write = deferred();
  a.onWrite = () => write.promise;
  const joined = t.join(a, b);
  b.send("pending");
  await a.until(() => a.writes === 1);
  b.failWrites(cause);
  a.send("fails");
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["aToB", "write", "b"]);
  assertEquals(error.other, undefined);
  write.reject(new Error("broken pipe"));
  await turns();
});

testRoutes("`other` is the opposite direction's own failure, before the teardown", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b);
  a.send("in flight");
  await b.until(() => b.writes === 1);
  // Its chunk in flight is waited for: meanwhile the other direction can fail on its own.
  a.errorReadable(cause);
  await turns();
  const second = new Error("the second error");
  b.failRead(second);
  await turns();
  write.resolve();
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["aToB", "read", "a"]);
  assertEquals(error.other, { cause: second, direction: "bToA", side: "read", end: "b" });
}, PAIRS);

for (const via of ["auto", "pipeTo"] as const) {
  for (const rate of [undefined, 1_000_000]) {
    const name = `a write fails that is under way at the end of file (${via}, ${
      rate ?? "no"
    } rate)`;
    test(name, async () => {
      const chunks = [511, null];
      const a = { read: () => chunks.shift() ?? null, write: () => 1, close() {} };
      const b = {
        read: () => never<null>(),
        write: () => macrotask().then(() => Promise.reject(cause)),
        close() {},
        closeWrite() {},
      };
      const error = await joinError(join(a, b, { via, rate }));
      assertEquals(where(error), ["aToB", "write", "b"]);
      assertStrictEquals(error.cause, cause);
    });
  }
}

for (const via of ["auto", "pipeTo"] as const) {
  test(`what a sink has queued is waited for before anything is closed (${via})`, async () => {
    const chunks = [511, null];
    const calls: string[] = [];
    const a = {
      read: () => chunks.shift() ?? null,
      write: () => 1,
      close: () => calls.push("close"),
    };
    const gate = deferred();
    const b = {
      readable: new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (input) => input.close() }),
      writable: new WritableStream<Uint8Array<ArrayBuffer>>({
        write: () => gate.promise.then(() => void calls.push("written")),
      }, { highWaterMark: 5 }),
    };
    const joined = join(a, b, { via, preventClose: { b: true } });
    await turns();
    await delay(20);
    assertEquals(calls, []);
    gate.resolve();
    assertEquals((await joined).aToB, { bytes: 511, chunks: 1 });
    assertEquals(calls, ["written", "close"]);
  });
}

test("an end that ends while the last chunk of a failed direction is waited for is no success", async () => {
  const calls: string[] = [];
  let ended!: () => void;
  const a = {
    readable: new ReadableStream({ start: (its) => void (ended = () => its.close()) }),
    writable: new WritableStream({
      close: () => void calls.push("close a"),
      abort: () => void calls.push("abort a"),
    }, { highWaterMark: 0 }),
    halfClose: false,
  };
  const b = {
    read: (p: Uint8Array<ArrayBuffer>) => Math.min(p.length, 10),
    write: (p: Uint8Array<ArrayBuffer>) => p.length,
    close: () => void calls.push("close b"),
    abort: () => void calls.push("abort b"),
    halfClose: false,
  };
  const failed = joinError(join(a, b, { via: "pipeTo", limit: 3 }));
  await turns();
  ended();
  assertEquals((await failed).reason, "limit");
  assertEquals(calls.toSorted(), ["abort a", "abort b"]);
});
