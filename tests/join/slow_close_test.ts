import {
  BufferPool,
  duplex,
  join,
  JoinError,
  type JoinOptions,
  memoryPair,
  type Pair,
  unread,
} from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, delay, never, rejection, turns } from "../support/async.ts";
import { WITH_BYTE_STREAMS } from "../support/environment.ts";

interface EndOptions {
  /** Whether its readable has ended. */
  ended: boolean;
  halfClose?: boolean;
  closeWritable?: () => Promise<void>;
  close?: () => Promise<void>;
}

function recordedEnd(name: string, log: string[], options: EndOptions): Pair {
  return {
    halfClose: options.halfClose,
    readable: new ReadableStream({
      start: (controller) => options.ended ? controller.close() : undefined,
    }),
    writable: new WritableStream({ close: () => options.closeWritable?.() }),
    close() {
      log.push(`${name}.close`);
      return options.close?.();
    },
  };
}

async function outcome(a: EndOptions, b: EndOptions, options?: JoinOptions) {
  const log: string[] = [];
  const { ended } = await join(recordedEnd("a", log, a), recordedEnd("b", log, b), options);
  return { ended, log: log.sort() };
}

test("a writable that never finishes closing does not keep the end from being closed", async () => {
  const stuck = { ended: true, closeWritable: () => never() };
  const closed = ["a.close", "b.close"];
  assertEquals(await outcome(stuck, { ended: false }, { halfCloseTimeout: 50 }), {
    ended: "timeout",
    log: closed,
  });
  assertEquals(await outcome({ ...stuck, halfClose: false }, { ended: true }), {
    ended: "eof",
    log: closed,
  });
});

test("a close that takes longer than halfCloseTimeout is no timeout, as all has passed", async () => {
  const closings: Promise<void>[] = [];
  const close = () => {
    closings.push(delay(100));
    return closings.at(-1)!;
  };
  const whole = { halfClose: false, close };
  for (const options of [{}, { halfClose: "end" as const }]) {
    const joined = outcome({ ...whole, ended: true }, { ...whole, ended: false }, {
      halfCloseTimeout: 30,
      ...options,
    });
    assertEquals(await joined, { ended: "eof", log: ["a.close", "b.close"] });
  }
  await Promise.all(closings);
});

test("halfCloseTimeout counts while the half-close itself is pending", async () => {
  const b = { ended: false, closeWritable: () => never() };
  assertEquals(await outcome({ ended: true }, b, { halfCloseTimeout: 50 }), {
    ended: "timeout",
    log: ["a.close", "b.close"],
  });
});

for (const timeout of ["halfCloseTimeout", "idleTimeout"] as const) {
  test(`${timeout} during a slow close makes no failure of what has all passed`, async () => {
    const closing = deferred();
    const a = { ended: true, close: () => closing.promise };
    assertEquals(await outcome(a, { ended: true }, { [timeout]: 50 }), {
      ended: "eof",
      log: ["a.close", "b.close"],
    });
    closing.resolve();
  });
}

test("what the closing takes counts from the end of both directions, and a close that fails is told", async () => {
  const cause = new Error("the close failed");
  const [here, client] = memoryPair();
  const end = {
    ...here,
    close: async () => {
      await turns();
      throw cause;
    },
  };
  const [there, server] = memoryPair();
  const joined = rejection(join(end, there, { halfCloseTimeout: 500 }));
  await client.writable.close();
  // Longer than the timeout, but never silent for as long.
  const writer = server.writable.getWriter();
  const started = performance.now();
  while (performance.now() - started < 1250) {
    await writer.write(new Uint8Array(1));
    await delay(5);
  }
  await writer.close();
  const error = await joined;
  assertInstanceOf(error, JoinError);
  assertStrictEquals(error.cause, cause);
});

test("a read that fails behind unread() or duplex() leaves no lock and no buffer", {
  on: WITH_BYTE_STREAMS,
}, async () => {
  const pool = new BufferPool();
  const readable = new ReadableStream({
    type: "bytes",
    pull: (controller) => controller.error(new Error("reset")),
  });
  const [, b] = memoryPair();
  const end = unread({ readable, writable: new WritableStream() }, new Uint8Array(2));
  const error = await rejection(join(end, b, { pool }));
  assertInstanceOf(error, Error);
  assertEquals([error.message, readable.locked, pool.lent], [
    "Reading from 'a' failed: reset",
    false,
    0,
  ]);
});

test("a cause that cannot be made a string, or looked at, is reported like any other", async () => {
  const hostile = Object.defineProperty(new Error(), "message", {
    get() {
      throw new Error("do not look");
    },
  });
  const odd = Object.assign(new Error(), { message: Symbol("odd") });
  for (const cause of [Object.create(null), hostile, odd]) {
    const readable = new ReadableStream({ start: (controller) => controller.error(cause) });
    const [, b] = memoryPair();
    const error = await rejection(join({ readable, writable: new WritableStream() }, b));
    assertInstanceOf(error, JoinError);
    assertStrictEquals(error.cause, cause);
  }
});

test("duplex() of one conn's two halves closes it once", async () => {
  const calls: string[] = [];
  const conn = {
    read: () => null,
    write: (p: Uint8Array) => p.length,
    closeWrite: () => void calls.push("closeWrite"),
    close: () => void calls.push("close"),
  };
  const [user, b] = memoryPair();
  const joined = join(duplex(conn, conn), b);
  await user.writable.close();
  await joined;
  await turns();
  assertEquals(calls, ["closeWrite", "close"]);
});
