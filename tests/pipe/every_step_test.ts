/** A `pipe` that is aborted at any step leaves nothing behind, and loses and doubles nothing. */
import { pipe, type Reader, type Writer } from "@webstreams/join";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { macrotask, rejection, turns } from "../support/async.ts";
import { text } from "../support/bytes.ts";
import { RecordingPool } from "../support/recording_pool.ts";
import { CountingController } from "../support/signal.ts";
import { watchUnhandled } from "../support/unhandled.ts";
import { untyped } from "../support/untyped.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const REASON = new Error("reason");
const ALL = "abcdefghij";
const all = { preventAbort: true, preventCancel: true, preventClose: true };

/** So many microtasks later. */
async function later(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed++) await undefined;
}

/** A byte at a time, each after so many microtasks. */
function reader(pace: number): Reader {
  let at = 0;
  return {
    async read(p) {
      await later(pace);
      if (at === ALL.length) return null;
      p[0] = ALL.charCodeAt(at++);
      return 1;
    },
  };
}

function readable(pace: number, type?: "bytes"): ReadableStream<Bytes> {
  let at = 0;
  const source = {
    async pull(controller: { enqueue(chunk: Bytes): void; close(): void }) {
      await later(pace);
      if (at === ALL.length) controller.close();
      else controller.enqueue(new Uint8Array([ALL.charCodeAt(at++)]));
    },
  };
  return type
    ? new ReadableStream({ ...source, type })
    : new ReadableStream(source, { highWaterMark: 0 });
}

interface Taken {
  readonly received: Bytes[];
}

function writer(pace: number): Writer & Taken {
  const received: Bytes[] = [];
  return {
    received,
    async write(p) {
      received.push(p.slice());
      await later(pace);
      return p.length;
    },
  };
}

/** Its stream, and what comes to it. */
function writable(pace: number): { to: WritableStream<Bytes> } & Taken {
  const received: Bytes[] = [];
  const to = new WritableStream<Bytes>({
    async write(chunk) {
      received.push(chunk.slice());
      await later(pace);
    },
  });
  return { to, received };
}

const SOURCES: [string, (pace: number) => Reader | ReadableStream<Bytes>][] = [
  ["Go-style source", reader],
  ["stream", (pace) => readable(pace)],
];
const SINKS: [string, (pace: number) => { to: Writer | WritableStream<Bytes> } & Taken][] = [
  ["Go-style sink", (pace) => {
    const to = writer(pace);
    return { to, received: to.received };
  }],
  ["stream", writable],
];

for (const [from, source] of SOURCES) {
  for (const [to, sink] of SINKS) {
    for (const pace of [0, 3]) {
      test(`an abort after each microtask: ${from} to ${to}, pace ${pace}`, async () => {
        const unhandled = watchUnhandled();
        for (let depth = 0; depth < 120; depth++) {
          const pool = new RecordingPool();
          const controller = new CountingController();
          const { signal } = controller;
          const from = source(pace);
          const first = sink(pace);
          const stats = { bytes: -1, chunks: -1 };
          const options = { ...all, pool, signal, stats };
          const outcome = pipe(from, first.to, options).then(() => undefined, (error) => error);
          await later(depth);
          controller.abort(REASON);
          const reason = await outcome;
          assertEquals([undefined, REASON].includes(reason), true);
          assertEquals([controller.listeners, pool.lent], [0, 0]);
          for (const end of [from, first.to]) {
            if ("locked" in end) assertEquals(end.locked, false);
          }
          await macrotask();
          const second = sink(0);
          await pipe(from, second.to, { pool });
          assertEquals(text(...first.received, ...second.received), ALL, `${depth} microtasks`);
          // What was being written to a Go-style sink is not waited for.
          const missed = first.received.length - stats.bytes;
          assertEquals(missed, "locked" in first.to ? 0 : Math.min(missed, 1));
          assertEquals(pool.lent, 0);
        }
        unhandled.restore();
        assertEquals(unhandled.reasons, []);
      });
    }
  }
}

test("one end as the source and the sink is closed once, and the reason stays", async () => {
  for (const abort of [true, false]) {
    const closed: string[] = [];
    const end = {
      read: () => new Promise<number>(() => {}),
      write: ({ length }: Bytes) => length,
      close() {
        closed.push("close");
        if (closed.length > 1) throw new Error("It is closed already");
      },
      ...abort && { abort: () => void closed.push("abort") },
    };
    const controller = new AbortController();
    const done = rejection(pipe(end, end, { signal: controller.signal }));
    await turns();
    controller.abort(REASON);
    assertStrictEquals(await done, REASON);
    assertEquals(closed, [abort ? "abort" : "close"]);
  }
});

test("a Go-style end that fails to close leaves the first error", async () => {
  const close = () => {
    throw new Error("It is closed already");
  };
  const fails = () => Promise.reject(REASON);
  const write = ({ length }: Bytes) => length;
  assertStrictEquals(await rejection(pipe({ read: fails }, { write, close })), REASON);
  assertStrictEquals(await rejection(pipe({ read: () => 1, close }, { write: fails })), REASON);
  const signal = AbortSignal.abort(REASON);
  assertStrictEquals(
    await rejection(pipe({ read: () => 1, close }, { write, close }, { signal })),
    REASON,
  );
});

const LIES: unknown[] = [undefined, null, "1", 1n, NaN, Infinity, -1, 0, 0.5, 3, {}, [1]];

for (const slow of [false, true]) {
  test(`a sink that lies about what it took, ${slow ? "late" : "at once"}`, async () => {
    for (const lie of LIES) {
      for (const honest of [0, 1]) {
        const pool = new RecordingPool();
        const calls: string[] = [];
        let writes = 0;
        const to = {
          write() {
            const count = writes++ < honest ? 1 : lie as number;
            return slow ? Promise.resolve(count) : count;
          },
          close: () => void calls.push("sink"),
        };
        const from = { read: () => 2 + honest, close: () => void calls.push("source") };
        const stats = { bytes: 0, chunks: 0 };
        const error = await rejection(pipe(from, to, { pool, stats }));
        assertEquals((error as Error).name, "RangeError", String(lie));
        assertEquals((error as Error).message.startsWith("Cannot write as 'count' must be"), true);
        assertEquals([calls, pool.lent], [["source"], 0]);
        assertEquals(stats, { bytes: honest, chunks: 0 });
      }
    }
  });
}

test("a sink that settles its write twice, or after the pipe is over", async () => {
  const twice = {
    write: ({ length }: Bytes) => ({
      then(fulfilled: (count: number) => void, rejected: (error: unknown) => void) {
        fulfilled(length);
        rejected(REASON);
        fulfilled(length);
      },
    }),
  };
  const { bytes } = await pipe(reader(0), untyped<Writer>(twice));
  assertEquals(bytes, ALL.length);

  const unhandled = watchUnhandled();
  for (const late of [() => Promise.resolve(99), () => Promise.reject(REASON)]) {
    let settle!: (count: Promise<number>) => void;
    const write = () => new Promise<number>((resolve) => settle = resolve);
    const controller = new AbortController();
    const stats = { bytes: 0, chunks: 0 };
    const done = rejection(pipe(reader(0), { write }, { signal: controller.signal, stats }));
    await turns();
    controller.abort(REASON);
    assertStrictEquals(await done, REASON);
    settle(late());
    await turns();
    assertEquals(stats, { bytes: 0, chunks: 0 });
  }
  unhandled.restore();
  assertEquals(unhandled.reasons, []);
});
