/** Ends that lie: what a `read` and a `write` of a Go-style end may give. */
import { type Conn, join, type JoinStats } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, delay, never, rejection, turns } from "../support/async.ts";
import { bytes, concat, text } from "../support/bytes.ts";
import { pattern } from "../support/parcels.ts";
import { assertTornDown, joinError, where } from "../support/errors.ts";
import { FakeEnd, KINDS } from "../support/fake_end.ts";
import { CONNS, PAIRS, testRoutes } from "../support/routes.ts";

const WRONG_COUNTS: readonly [string, unknown][] = [
  ["a fraction", 1.5],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["a negative number", -1],
  ["more than it was given", 1e6],
  ["undefined", undefined],
  ["a text", "1"],
  ["a bigint", 1n],
  ["true", true],
];

/** Makes `end` give `count` where it should give how many bytes it was. */
function lie(end: FakeEnd, method: "read" | "write", count: unknown): void {
  Object.assign(end.end, { [method]: () => Promise.resolve(count) });
}

for (const [name, count] of [...WRONG_COUNTS, ["nothing", 0], ["null", null]] as const) {
  testRoutes(`a write that says it took ${name} is an error`, async (t) => {
    const [a, b] = t.ends();
    lie(b, "write", count);
    const joined = t.join(a, b);
    a.send("12345");
    // What it would still say is waited for.
    await a.taken();
    await turns(1);
    b.failRead(new Error("it says nothing"));
    const error = await joinError(joined);
    assertEquals(where(error), ["aToB", "write", "b"]);
    assertInstanceOf(error.cause, RangeError);
    assertMatch(error.cause.message, /'count' must be an integer of 1 to 5 bytes: got /);
    assertTornDown(a, error.cause);
    assertTornDown(b, error.cause);
  }, CONNS);
}

for (const [name, count] of WRONG_COUNTS) {
  testRoutes(`a read that claims ${name} is an error`, async (t) => {
    const [a, b] = t.ends();
    lie(a, "read", count);
    const error = await joinError(t.join(a, b));
    assertEquals(where(error), ["aToB", "read", "a"]);
    assertInstanceOf(error.cause, RangeError);
    assertMatch(error.cause.message, /'count' must be an integer of 0 to \d+ bytes: got /);
    assertEquals([b.writes, b.text], [0, ""]);
  }, CONNS);
}

testRoutes("100 reads of 0 bytes in a row are an error", async (t) => {
  const [a, b] = t.ends();
  let reads = 0;
  Object.assign(a.end, { read: () => ++reads < 1000 ? 0 : null });
  const error = await joinError(t.join(a, b));
  assertEquals(where(error), ["aToB", "read", "a"]);
  assertInstanceOf(error.cause, Error);
  assertMatch(error.cause.message, /^100 reads/);
  assertEquals(reads, 100);
}, CONNS);

testRoutes("99 are none, however often", async (t) => {
  const [a, b] = t.ends();
  let reads = 0;
  Object.assign(a.end, {
    read(p: Uint8Array) {
      if (reads === 200) return null;
      if (++reads % 100 > 0) return 0;
      p[0] = 33;
      return 1;
    },
  });
  const joined = t.join(a, b);
  b.finish();
  assertEquals((await joined).aToB.bytes, 2);
  assertEquals(b.text, "!!");
}, CONNS);

testRoutes("reads of 0 bytes do not starve the signal", async (t) => {
  const [a, b] = t.ends();
  Object.assign(a.end, { read: () => 0 });
  const joined = t.join(a, b);
  const reason = new Error("enough");
  setTimeout(() => t.controller.abort(reason));
  assertEquals(await joined.catch((error) => error), reason);
}, { kinds: ["conn"], via: "auto" });

/** A Go-style end that takes at most `most` bytes a write. */
function partial(most: number, sync = false): Conn & { taken: Uint8Array[]; closed: number } {
  const end = {
    taken: [] as Uint8Array[],
    closed: 0,
    read: () => null,
    write(p: Uint8Array) {
      const part = p.slice(0, most);
      end.taken.push(part);
      return sync ? part.length : Promise.resolve(part.length);
    },
    closeWrite() {},
    close: () => end.closed++,
  };
  return end;
}

test("a write that aborts the join and throws is not counted as the write before it", async () => {
  const a = new FakeEnd("conn");
  const controller = new AbortController();
  const reason = new Error("enough");
  const stats: JoinStats = {};
  let writes = 0;
  const b: Conn = {
    read: () => never(),
    write() {
      if (++writes === 1) return 2;
      controller.abort(reason);
      throw new Error("refused");
    },
    close() {},
  };
  const joined = join(a.end, b, { signal: controller.signal, stats });
  a.send("12345");
  assertEquals(await rejection(joined), reason);
  assertEquals([writes, stats.aToB?.bytes], [2, 2]);
});

for (const via of ["auto", "pipeTo"] as const) {
  for (const sync of [true, false]) {
    for (const kind of KINDS) {
      test(`partial writes: the rest is written (${kind}, ${via}, sync ${sync})`, async () => {
        const a = new FakeEnd(kind);
        const b = partial(100, sync);
        const joined = join(a.end, b, { via });
        const data = pattern(950);
        a.send(data.subarray(0, 50));
        a.send(data.subarray(50));
        a.finish();
        const { aToB } = await joined;
        assertEquals(aToB.bytes, 950);
        assertEquals(concat(b.taken), data);
        assertEquals(b.closed, 1);
      });
    }
  }

  test(`partial writes: what was taken counts, though the rest fails (${via})`, async () => {
    const a = new FakeEnd("conn");
    const b = partial(3);
    const { write } = b;
    b.write = (p) => b.taken.length < 2 ? write(p) : Promise.reject(cause);
    const cause = new Error("full");
    const joined = join(a.end, b, { via });
    a.send("12345678");
    const error = await joinError(joined);
    assertEquals(text(...b.taken), "123456");
    if (via === "auto") assertEquals(error.aToB, { bytes: 6, chunks: 0 });
  });

  test(`a wholly synchronous end is fine, too (${via})`, async () => {
    const rounds = 3000;
    let reads = 0;
    const a: Conn = {
      read: (p) => {
        if (reads++ === rounds) return null;
        p.set(bytes("ab"));
        return 2;
      },
      write: (p) => p.length,
      close() {},
    };
    const b = partial(2, true);
    const { aToB } = await join(a, b, { via });
    assertEquals([aToB.bytes, aToB.chunks], [rounds * 2, rounds]);
  });
}

test("a wholly synchronous end does not starve timers and the signal", async () => {
  const endless: Conn = { read: (p) => p.length, write: (p) => p.length, close() {} };
  const sink: Conn = { ...endless, read: () => new Promise(() => {}) };
  const controller = new AbortController();
  setTimeout(() => controller.abort("enough"), 10);
  const { signal } = controller;
  assertEquals(await join(endless, sink, { signal }).catch((reason) => reason), "enough");
});

testRoutes("a chunk that is no bytes cannot be written to a Go-style end", async (t) => {
  const a = {
    readable: new ReadableStream<unknown>({
      pull: (controller) => controller.enqueue("a text"),
    }),
    writable: new WritableStream<unknown>(),
  };
  const b = t.end();
  const error = await joinError(join(a, b.end, { via: t.route.via }));
  assertEquals(where(error), ["aToB", "write", "b"]);
  assertInstanceOf(error.cause, TypeError);
  assertMatch(error.cause.message, /ArrayBuffer or a view .*: got "a text"/);
  assertEquals(b.writes, 0);
}, CONNS);

testRoutes("an ArrayBuffer and any view can", async (t) => {
  const chunks = [bytes("one").buffer, new DataView(bytes("xtwox").buffer, 1, 3), bytes("three")];
  const a = {
    readable: new ReadableStream<unknown>({
      pull(controller) {
        if (chunks.length > 0) controller.enqueue(chunks.shift());
        else controller.close();
      },
    }),
    writable: new WritableStream<unknown>(),
  };
  const b = t.end();
  b.finish();
  const { aToB } = await join(a, b.end, { via: t.route.via });
  assertEquals([b.text, aToB], ["onetwothree", { bytes: 11, chunks: 3 }]);
}, CONNS);

test("a JoinError has the very counts of stats, whenever a write fulfils", async () => {
  for (let depth = 1; depth < 24; depth++) {
    const wait = async (microtasks: number) => {
      for (let turn = 0; turn < microtasks; turn++) await undefined;
    };
    let reads = 0;
    const a: Conn = {
      read: () => reads++ === 0 ? 100 : new Promise<null>(() => {}),
      write: () => 1,
      close() {},
    };
    const b = {
      readable: new ReadableStream<Uint8Array<ArrayBuffer>>({
        start: (input) => void wait(depth).then(() => input.error(new Error("no"))),
      }),
      writable: new WritableStream<Uint8Array<ArrayBuffer>>({ write: () => wait(12) }, {
        highWaterMark: 4,
      }),
    };
    const stats: Partial<JoinStats> = {};
    const { aToB, bToA } = await joinError(join(a, b, { stats }));
    assertEquals<unknown>({ aToB, bToA }, stats, `${depth} microtasks`);
  }
});

for (const how of ["an abort", "a timeout"]) {
  test(`what a write brings that ${how} breaks off has been counted: its peer has got it`, async () => {
    let got = 0;
    const controller = new AbortController();
    const a: Conn = {
      read: (p) => got === 0 ? p.length : new Promise<null>(() => {}),
      write: () => 1,
      close() {},
    };
    const b: Conn = {
      read: () => never(),
      async write(p) {
        got += p.length;
        if (how === "an abort") queueMicrotask(() => controller.abort("enough"));
        else await closed.promise;
        // Of a system's answers, in the next turn.
        await delay(0);
        return p.length;
      },
      close: () => closed.resolve(),
    };
    const closed = deferred();
    const stats: Partial<JoinStats> = {};
    const { signal } = controller;
    await rejection(join(a, b, { stats, signal, idleTimeout: how === "an abort" ? 10_000 : 10 }));
    assertEquals([stats.aToB!.bytes, got > 0], [got, true]);
  });
}

testRoutes("a chunk that comes when the writable has failed is not counted", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.send("ping");
  await b.got("ping");
  await a.waiting();
  b.errorWritable(new Error("no more"));
  await turns();
  a.send("too late");
  await a.taken();
  await turns();
  b.finish();
  const { aToB } = await joinError(joined);
  assertEquals(aToB, { bytes: 4, chunks: 1 });
}, PAIRS);
