/** Who owns a buffer: one that is reused too early corrupts data silently. */
import { type Conn, join, type Pair } from "@webstreams/join";
import { assert, assertEquals, assertLessOrEqual, assertNotStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, delay, never, rejection, turns } from "../support/async.ts";
import { bytes, concat, lengthOf, sha256 } from "../support/bytes.ts";
import { pattern } from "../support/parcels.ts";
import { FINDS_LITTLE } from "../support/deviations.ts";
import { WITH_BYTE_STREAMS as on } from "../support/environment.ts";
import { FakeEnd, KINDS, PAIR_KINDS } from "../support/fake_end.ts";
import { RecordingPool } from "../support/recording_pool.ts";
import { CONNS, PAIRS, testRoutes } from "../support/routes.ts";

const MiB = 1024 * 1024;

/** Sends `data` in parts whose sizes vary around what buffers have. */
function sendVaried(end: FakeEnd, data: Uint8Array<ArrayBuffer>): void {
  const sizes = [100, 512, 513, 4000, 16384, 60_000, 262_144, 1, 700_000];
  for (let at = 0, turn = 0; at < data.length; turn++) {
    const size = sizes[turn % sizes.length];
    end.send(data.subarray(at, at + size));
    at += size;
  }
  end.finish();
}

/** All of a stream, its chunks looked at only after it has ended. */
async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(chunks);
    chunks.push(value);
  }
}

testRoutes("an identity TransformStream keeps chunks whose write has settled", async (t) => {
  const a = t.end();
  const queue = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(
    {},
    { highWaterMark: 1000 },
    { highWaterMark: 1000 },
  );
  const back = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const data = pattern(6 * MiB);
  sendVaried(a, data);
  const joined = join(a.end, { readable: back.readable, writable: queue.writable }, {
    pool: t.pool,
    via: t.route.via,
  });
  // Only when it has everything is it read at all.
  await a.taken();
  const received = await collect(queue.readable);
  await back.writable.close();
  const { aToB } = await joined;
  assertEquals(aToB.bytes, data.length);
  assertEquals(await sha256(received), await sha256(data));
  assertEquals(t.pool.lent, 0);
});

testRoutes("a sink that settles at once and reads its chunks later", async (t) => {
  const [a, b] = t.ends({ consumesOnWrite: false });
  const data = pattern(3 * MiB);
  sendVaried(a, data);
  b.finish();
  await t.join(a, b);
  // The end keeps the very chunks, and reads them now.
  assertEquals(await sha256(concat(b.received)), await sha256(data));
}, PAIRS);

testRoutes("ends that consume get the bytes, however slow they are", async (t) => {
  const [a, b] = t.ends({ consumesOnWrite: true });
  // What has arrived is copied only after the wait.
  b.onWrite = () => b.writes % 20 === 0 ? delay(0) : undefined;
  const data = pattern(3 * MiB);
  sendVaried(a, data);
  b.finish();
  await t.join(a, b);
  assertEquals(await sha256(concat(b.received)), await sha256(data));
});

test(
  "a raised mark on Duplex.toWeb keeps many chunks",
  { on: ["deno", "bun", "node"] },
  async () => {
    const { Duplex } = await import("node:stream");
    const kept: Uint8Array[] = [];
    const a = new FakeEnd("conn");
    const slow = new Duplex({
      writableHighWaterMark: 64 * MiB,
      read() {
        this.push(null);
      },
      // Everything but the first chunk is queued until all of it has been read.
      async write(chunk: Uint8Array, _encoding, done) {
        if (kept.length === 0) await a.taken();
        kept.push(Uint8Array.from(chunk));
        done();
      },
    });
    const { readable, writable } = Duplex.toWeb(slow) as Pair;
    const data = pattern(16 * MiB);
    sendVaried(a, data);
    const { aToB } = await join(a.end, { readable, writable });
    if (!slow.writableFinished) await new Promise((resolve) => slow.once("finish", resolve));
    assertEquals(aToB.bytes, data.length);
    assertEquals(await sha256(concat(kept)), await sha256(data));
  },
);

testRoutes("between Go-style ends one buffer is read into and written from", async (t) => {
  const [a, b] = t.ends();
  const written = new Set<ArrayBuffer>();
  b.onWrite = (chunk) => void written.add(chunk.buffer);
  const joined = t.join(a, b);
  for (let round = 0; round < 50; round++) a.send(`round ${round},`);
  a.finish();
  b.finish();
  await joined;
  assertEquals(written.size, 1);
  assertEquals(new Set(a.views.map(({ buffer }) => buffer)), written);
}, { kinds: ["conn"], via: "auto" });

for (const kind of PAIR_KINDS) {
  test(`consumesOnWrite: a Go-style source reuses its buffer for a pair (${kind})`, async () => {
    const [a, b] = [new FakeEnd("conn"), new FakeEnd(kind, { consumesOnWrite: true })];
    const written = new Set<ArrayBuffer>();
    b.onWrite = (chunk) => void written.add(chunk.buffer);
    const joined = join(a.end, b.end);
    for (let round = 0; round < 50; round++) a.send("x".repeat(300));
    a.finish();
    b.finish();
    await joined;
    assertEquals(written.size, 1);
    assertEquals(lengthOf(b.received), 15_000);
  });
}

test(
  "consumesOnWrite: a byte stream takes one buffer from the pool for many chunks",
  { on },
  async () => {
    const pool = new RecordingPool();
    const options = { consumesOnWrite: true };
    const [a, b] = [new FakeEnd("bytes", options), new FakeEnd("bytes", options)];
    const joined = join(a.end, b.end, { pool });
    for (let round = 0; round < 50; round++) a.send("x".repeat(300));
    a.finish();
    b.finish();
    await joined;
    // One each way.
    assertEquals(pool.acquired.length, 2);
    assertEquals(pool.writtenOff, []);
    assertEquals([pool.lent, pool.held], [0, 1024]);
  },
);

const findsMemory = on.filter((runtime) => !FINDS_LITTLE.includes(runtime));

test("without it a byte stream reads into memory of its own", { on: findsMemory }, async () => {
  const pool = new RecordingPool();
  const [a, b] = [new FakeEnd("bytes"), new FakeEnd("bytes")];
  const kept = new Set<ArrayBuffer>();
  b.onWrite = (chunk) => void kept.add(chunk.buffer);
  const joined = join(a.end, b.end, { pool });
  for (let round = 0; round < 20; round++) a.send("x".repeat(300));
  a.finish();
  b.finish();
  await joined;
  assertEquals([kept.size, lengthOf(b.received)], [20, 6000]);
  assertEquals(pool.acquired, []);
});

test("without it a small fill is copied, and the buffer stays", async () => {
  const pool = new RecordingPool();
  const [a, b] = [new FakeEnd("conn"), new FakeEnd("default")];
  const joined = join(a.end, b.end, { pool });
  for (let round = 0; round < 20; round++) {
    a.send("small");
    await b.gotBytes(5 * (round + 1));
  }
  a.finish();
  b.finish();
  await joined;
  assertEquals(pool.acquired.length, 1);
  const [lent] = pool.acquired;
  for (const chunk of b.received) {
    assertNotStrictEquals(chunk.buffer, lent.buffer);
    assertEquals(chunk.buffer.byteLength, 5);
  }
  assertEquals(pool.released, [lent]);
});

test("... a large one is handed over, and replaced", async () => {
  const pool = new RecordingPool();
  const [a, b] = [new FakeEnd("conn"), new FakeEnd("default")];
  const joined = join(a.end, b.end, { pool });
  for (let round = 0; round < 5; round++) {
    a.send(pattern(400, round + 1));
    await b.gotBytes(400 * (round + 1));
  }
  a.finish();
  b.finish();
  await joined;
  assertEquals(b.received.map(({ buffer }) => buffer), a.views.slice(0, 5).map((p) => p.buffer));
  assertEquals(new Set(a.views.map(({ buffer }) => buffer)).size, 6);
  assertEquals(pool.writtenOff, [512, 512, 512, 512, 512]);
  assertEquals(pool.lent, 0);
});

testRoutes("a buffer whose read has not settled is written off", async (t) => {
  const pool = new RecordingPool();
  const [a, b] = t.ends();
  Object.assign(a.end, {
    read: (p: Uint8Array<ArrayBuffer>) => {
      a.views.push(p);
      return never();
    },
  });
  b.send("x");
  const joined = t.join(a, b, { pool });
  await a.got("x");
  t.controller.abort("enough");
  await rejection(joined);
  const [lent] = a.views;
  assert(pool.writtenOff.includes(lent.length));
  assert(!pool.released.some(({ buffer }) => buffer === lent.buffer));
  assertEquals(pool.lent, 0);
}, CONNS);

testRoutes("a buffer whose write has not settled is written off", async (t) => {
  const pool = new RecordingPool();
  const [a, b] = t.ends();
  const write = deferred();
  let stuck!: Uint8Array<ArrayBuffer>;
  Object.assign(b.end, {
    write: async (p: Uint8Array<ArrayBuffer>) => {
      stuck = p;
      b.writes++;
      await write.promise;
      return p.length;
    },
  });
  const joined = t.join(a, b, { pool });
  a.send("stuck");
  while (b.writes === 0) await turns(1);
  t.controller.abort("enough");
  await rejection(joined);
  assert(!pool.released.some(({ buffer }) => buffer === stuck.buffer));
  assertNotStrictEquals(pool.acquire(512).buffer, stuck.buffer);
  assertEquals(new TextDecoder().decode(stuck), "stuck");
  write.resolve();
}, { kinds: ["conn"], via: "auto" });

for (const kind of PAIR_KINDS) {
  test(`... to a consuming pair just so (${kind})`, async () => {
    const pool = new RecordingPool();
    const [a, b] = [new FakeEnd("conn"), new FakeEnd(kind, { consumesOnWrite: true })];
    b.stall();
    const controller = new AbortController();
    const joined = join(a.end, b.end, { pool, signal: controller.signal });
    a.send("stuck");
    await b.until(() => b.writes === 1);
    controller.abort("enough");
    await rejection(joined);
    const [view] = a.views;
    assert(!pool.released.some(({ buffer }) => buffer === view.buffer));
    assertEquals(pool.lent, 0);
  });
}

test("a stuck write that is given up for the drain keeps its buffer", async () => {
  const pool = new RecordingPool();
  const [a, b] = [new FakeEnd("conn"), new FakeEnd("conn", { halfClose: false })];
  let stuck: Uint8Array<ArrayBuffer> | undefined;
  b.onWrite = (chunk) => {
    stuck = chunk;
    return never();
  };
  const joined = join(a.end, b.end, { pool });
  a.send("stuck");
  await b.until(() => stuck !== undefined);
  b.finish();
  await a.called("closeWrite");
  for (let round = 0; round < 5; round++) a.send("other bytes");
  a.finish();
  await joined;
  assertEquals(new TextDecoder().decode(stuck), "stuck");
  assert(!pool.released.some(({ buffer }) => buffer === stuck?.buffer));
  assertEquals(pool.lent, 0);
});

/** A byte source that closes its stream and leaves the BYOB read unanswered. */
function forgetful(data: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = false;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (sent) controller.close();
      else controller.enqueue(bytes(data));
      sent = true;
    },
  });
}

for (const via of ["auto", "pipeTo"] as const) {
  test(`a byte source may close without respond(0) (${via})`, { on }, async () => {
    const pool = new RecordingPool();
    const received: Uint8Array[] = [];
    const a: Pair = { readable: forgetful("from a"), writable: new WritableStream() };
    const b: Pair = {
      readable: forgetful("from b"),
      writable: new WritableStream({ write: (chunk) => void received.push(chunk) }),
    };
    const { aToB, bToA, ended } = await join(a, b, { pool, via });
    assertEquals([aToB.bytes, bToA.bytes, ended], [6, 6, "eof"]);
    assertEquals(concat(received), bytes("from a"));
    assertEquals(pool.lent, 0);
    assertEquals([a.readable.locked, b.writable.locked], [false, false]);
  });

  test(`... and while a read waits (${via})`, { on }, async () => {
    let controller!: ReadableByteStreamController;
    const readable = new ReadableStream({
      type: "bytes",
      start: (its) => void (controller = its),
    });
    const b = new FakeEnd("conn");
    const joined = join({ readable, writable: new WritableStream() }, b.end, { via });
    await b.waiting();
    controller.enqueue(bytes("x"));
    await b.got("x");
    await turns();
    controller.close();
    await b.called("closeWrite");
    b.finish();
    assertEquals((await joined).aToB.bytes, 1);
  });
}

test("respond(0) brings the buffer back", { on }, async () => {
  const pool = new RecordingPool();
  const options = { consumesOnWrite: true };
  const [a, b] = [new FakeEnd("bytes", options), new FakeEnd("bytes", options)];
  a.finish();
  b.finish();
  await join(a.end, b.end, { pool });
  assertEquals([pool.lent, pool.held, pool.writtenOff], [0, 1024, []]);
});

test("an idle join holds little, and a busy one no more than it uses", async () => {
  const pool = new RecordingPool();
  const [a, b] = [new FakeEnd("conn"), new FakeEnd("conn")];
  const joined = join(a.end, b.end, { pool });
  await a.waiting();
  await b.waiting();
  assertEquals(pool.lent, 1024);
  // Joins of the tests before count as company for a while.
  await delay(50);
  a.send(pattern(8 * MiB));
  await b.gotBytes(8 * MiB);
  const sizes = a.views.map(({ length }) => length);
  assertEquals(sizes[0], 512);
  assertEquals(Math.max(...sizes), MiB);
  // What comes next is waited for with little, whatever has come before.
  await a.waiting();
  assertLessOrEqual(pool.lent, 8192);
  assert(sizes.findIndex((size) => size === MiB) < 20, `it grew slowly: ${sizes}`);
  // Little at a time: the buffer follows.
  for (let round = 0; round < 40; round++) {
    a.send("x");
    await b.gotBytes(8 * MiB + round + 1);
  }
  await a.waiting();
  assertLessOrEqual(a.views.at(-1)!.length, 4096);
  assertLessOrEqual(pool.lent, 8192);
  a.finish();
  b.finish();
  await joined;
});

test("a pool that may lend one buffer alone slows a hundred joins down, and ends none of them", async () => {
  const pool = new RecordingPool({ maxLent: 512, maxHeld: 512 });
  await Promise.all(Array.from({ length: 100 }, async () => {
    const [a, b] = [new FakeEnd("conn"), new FakeEnd("conn")];
    const joined = join(a.end, b.end, { pool });
    a.send(pattern(20_000));
    b.send(pattern(10_000));
    a.finish();
    b.finish();
    await joined;
    assertEquals([lengthOf(b.received), lengthOf(a.received)], [20_000, 10_000]);
  }));
  assertEquals([...new Set(pool.sizes)], [512]);
  assertEquals(pool.lent, 0);
});

test("joins that have stalled leave memory for those that move", async () => {
  const pool = new RecordingPool();
  const stalled = new AbortController();
  const joined = Array.from({ length: 200 }, async () => {
    const [a, b] = [new FakeEnd("conn"), new FakeEnd("conn")];
    let taken = 0;
    b.onWrite = ({ byteLength }: Uint8Array) =>
      (taken += byteLength) < 3 * MiB ? undefined : never();
    a.send(pattern(4 * MiB));
    await rejection(join(a.end, b.end, { pool, signal: stalled.signal }));
  });
  await delay(200);
  assertLessOrEqual(pool.lent, pool.maxLent);
  const before = pool.sizes.length;
  const [a, b] = [new FakeEnd("conn"), new FakeEnd("conn")];
  const late = join(a.end, b.end, { pool });
  for (let round = 0; round < 20; round++) {
    a.send(pattern(4 * MiB));
    await b.gotBytes((round + 1) * 4 * MiB);
  }
  assert(Math.max(...pool.sizes.slice(before)) >= 64 * 1024);
  a.finish();
  b.finish();
  await late;
  stalled.abort();
  await Promise.all(joined);
});

test("what a join leaves in the pool is no more than its cap", async () => {
  const pool = new RecordingPool({ maxHeld: 64 * 1024 });
  const rounds = Array.from({ length: 20 }, async () => {
    const [a, b] = [new FakeEnd("conn"), new FakeEnd("conn")];
    const joined = join(a.end, b.end, { pool });
    a.send(pattern(500_000));
    a.finish();
    b.finish();
    await joined;
    assertEquals(lengthOf(b.received), 500_000);
  });
  await Promise.all(rounds);
  assertEquals(pool.lent, 0);
  assertLessOrEqual(pool.held, 64 * 1024);
  assert(Math.max(...pool.sizes) <= 64 * 1024);
});

test("the bytes of many joins that share a pool do not mix", async () => {
  const pool = new RecordingPool({ maxHeld: 128 * 1024 });
  await Promise.all(Array.from({ length: 24 }, async (_, index) => {
    const options = { consumesOnWrite: index % 2 === 0 };
    const a = new FakeEnd(KINDS[index % KINDS.length], options);
    const b = new FakeEnd(KINDS[(index >> 1) % KINDS.length], options);
    for (const end of [a, b]) end.onWrite = () => index % 4 === 0 ? undefined : delay(0);
    const there = pattern(200_000 + index, index + 1);
    const back = pattern(150_000 + index, index + 100);
    sendVaried(a, there);
    sendVaried(b, back);
    await join(a.end, b.end, { pool });
    assertEquals(await sha256(concat(b.received)), await sha256(there));
    assertEquals(await sha256(concat(a.received)), await sha256(back));
  }));
  assertEquals(pool.lent, 0);
});

test("memory that a Go-style end keeps using after its write settled is its own fault", async () => {
  // The reverse of the promise: such an end must copy, which shows that the reuse is real.
  const kept: Uint8Array[] = [];
  const b: Conn = {
    read: () => null,
    write: (p) => kept.push(p) && p.length,
    close() {},
    closeWrite() {},
  };
  const a = new FakeEnd("conn");
  a.send("first");
  a.send("other");
  a.finish();
  await join(a.end, b);
  assertEquals(concat(kept), bytes("otherother"));
});
