/**
 * Sources that always have more and sinks that always have room: nobody waits for anything, and yet the
 * timers and all others are to get their turns.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertInstanceOf, assertLess } from "@std/assert";
import { type Conn, join, JoinError, pipe, type PipeResult } from "@webstreams/join";
import { test } from "../harness.ts";
import { macrotask, rejection } from "../support/async.ts";
import { byteStreams } from "../support/environment.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Enough to keep every runtime busy for seconds, and no endless loop where turns are missing. */
const CHUNKS = 3_000_000;
const SIZE = 1024;

function defaultStream(): ReadableStream<Bytes> {
  const chunk = new Uint8Array(SIZE);
  let left = CHUNKS;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(chunk);
      else controller.close();
    },
  });
}

function byteStream(): ReadableStream<Bytes> {
  let left = CHUNKS;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: SIZE,
    pull(controller) {
      const { byobRequest } = controller;
      if (left-- > 0) return byobRequest!.respond(Math.min(SIZE, byobRequest!.view!.byteLength));
      controller.close();
      byobRequest!.respond(0);
    },
  });
}

/** Go-style, both ways; `wrap` makes a result what the end gives. */
function conn(wrap: <T>(result: T) => T | Promise<T>): Conn {
  let left = CHUNKS;
  return {
    read: (p) => wrap(left-- > 0 ? p.length : null),
    write: (p) => wrap(p.length),
    close() {},
    closeWrite() {},
  };
}

const atOnce = <T>(result: T) => result;
const byPromise = <T>(result: T) => Promise.resolve(result);

interface Busy {
  readonly name: string;
  open(signal: AbortSignal, stats: { bytes?: number }): Promise<PipeResult>;
}

const kinds: Busy[] = [
  {
    name: "a default stream",
    open: (signal, stats) => pipe(defaultStream(), new WritableStream(), { signal, stats }),
  },
  {
    name: "Go-style ends that answer at once",
    open: (signal, stats) => pipe(conn(atOnce), conn(atOnce), { signal, stats }),
  },
  {
    name: "Go-style ends that answer by a promise",
    open: (signal, stats) => pipe(conn(byPromise), conn(byPromise), { signal, stats }),
  },
  {
    name: "a Go-style source and a stream",
    open: (signal, stats) => pipe(conn(byPromise), new WritableStream(), { signal, stats }),
  },
];
if (byteStreams) {
  kinds.push({
    name: "a byte stream",
    open: (signal, stats) => {
      return pipe(byteStream(), new WritableStream(), { signal, stats, consumesOnWrite: true });
    },
  });
}

const STOPPED = new Error("stopped");

/** Aborts once `isTime` says so, which is asked every 5 ms. */
function abortOnce(isTime: () => boolean): AbortSignal {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (!isTime()) return;
    clearInterval(timer);
    controller.abort(STOPPED);
  }, 5);
  return controller.signal;
}

for (const { name, open } of kinds) {
  test(`timers run, live counts rise and an abort is heard beside a busy pipe: ${name}`, async () => {
    const stats: { bytes?: number } = {};
    const seen: number[] = [];
    const signal = abortOnce(() => seen.push(stats.bytes!) >= 5 && seen.at(-1)! > seen[0]!);
    assertEquals(await rejection(open(signal, stats)), STOPPED);
    assertGreater(seen.at(-1)!, seen[0]!);
  });

  test(`64 busy pipes share the thread: ${name}`, async () => {
    const all = Array.from({ length: 64 }, (): { bytes?: number } => ({}));
    let [ticks, least, mean] = [0, 0, 0];
    const signal = abortOnce(() => {
      const moved = all.map(({ bytes }) => bytes!);
      least = Math.min(...moved);
      mean = moved.reduce((sum, bytes) => sum + bytes) / moved.length;
      // On a machine that is busy with other things it takes longer until all have had as many turns.
      return ++ticks >= 40 && least > mean / 10 || ticks === 1000;
    });
    const outcomes = await Promise.all(all.map((stats) => rejection(open(signal, stats))));
    assert(outcomes.every((outcome) => outcome === STOPPED));
    assertGreater(least, mean / 10);
  });
}

test("AbortSignal.timeout() is heard by a busy join", async () => {
  const signal = AbortSignal.timeout(50);
  const reason = await rejection(join(conn(byPromise), conn(byPromise), { signal }));
  assertEquals((reason as DOMException).name, "TimeoutError");
});

test("an idleTimeout is kept beside a busy pipe", async () => {
  const silent: Conn = { read: () => new Promise(() => {}), write: (p) => p.length, close() {} };
  const busy = new AbortController();
  const piped = pipe(defaultStream(), new WritableStream(), { signal: busy.signal });
  const idle = join(silent, { ...silent }, { idleTimeout: 20 }).finally(() => busy.abort(STOPPED));
  assertInstanceOf(await rejection(idle), JoinError);
  assertEquals(await rejection(piped), STOPPED);
});

test("who has little to move is done long before who has much", async () => {
  const controller = new AbortController();
  const much = pipe(conn(byPromise), conn(byPromise), { signal: controller.signal });
  const little = new Blob(["little"]).stream();
  assertEquals((await pipe(little, new WritableStream())).bytes, 6);
  controller.abort(STOPPED);
  assertEquals(await rejection(much), STOPPED);
});

/** Most of them move in none of the turns of others, however many wait: those come around all the sooner. */
test(
  "of 64 busy pipes few go on between two turns of somebody else",
  { on: ["deno", "node", "bun", "chromium", "firefox", "webkit"] },
  async () => {
    const stopping = new AbortController();
    const all = Array.from({ length: 64 }, (): { bytes?: number } => ({}));
    const { signal } = stopping;
    const piped = all.map((stats) =>
      rejection(pipe(conn(byPromise), conn(byPromise), { stats, signal }))
    );
    const moved: number[] = [];
    // Past the first ones, in which all begin.
    for (let turn = 0; turn < 300; turn++) {
      const before = all.map(({ bytes }) => bytes);
      await macrotask();
      if (turn >= 100) moved.push(all.filter(({ bytes }, pipe) => bytes !== before[pipe]).length);
    }
    stopping.abort(STOPPED);
    assert((await Promise.all(piped)).every((outcome) => outcome === STOPPED));
    assertGreater(Math.max(...moved), 0);
    assertLess(Math.max(...moved), 16, `pipes that moved in a turn: ${moved}`);
  },
);
