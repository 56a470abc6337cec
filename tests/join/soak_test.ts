/**
 * Many joins, and a long one: nothing grows.
 *
 * @module
 */
import { BufferPool, join, memoryPair, type Pair } from "@webstreams/join";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../harness.ts";
import { CountingController } from "../support/signal.ts";
import { watchTimers } from "../support/timers.ts";

const MIB = 1024 * 1024;

/** What is shared by all joins, and must be as it was when the last one has ended. */
function shared() {
  const aborter = new CountingController();
  const pool = new BufferPool();
  const timers = watchTimers();
  const options = {
    signal: aborter.signal,
    pool,
    idleTimeout: 60_000,
    halfCloseTimeout: 60_000,
  };
  return {
    aborter,
    options,
    timers,
    nothingIsLeft() {
      assertEquals(aborter.listeners, 0, "listeners of the signal");
      assertEquals(pool.lent, 0, "lent by the pool");
      assertEquals(timers.pending.size, 0, "timers");
    },
  };
}

/** A question and its answer by a join. */
async function converse(options: Parameters<typeof join>[2]): Promise<void> {
  const [client, a] = memoryPair();
  const [b, server] = memoryPair();
  const joined = join(a, b, options);
  await send(client, "question");
  assertEquals(await new Response(server.readable).text(), "question");
  await send(server, "answer");
  assertEquals(await new Response(client.readable).text(), "answer");
  const { aToB, bToA } = await joined;
  assertEquals([aToB.bytes, bToA.bytes], [8, 6]);
}

async function send({ writable }: Pair, text: string): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

test("2000 joins, one after the other, leave nothing behind", async () => {
  const { options, timers, nothingIsLeft } = shared();
  try {
    for (let round = 0; round < 2000; round++) {
      await converse(options);
      nothingIsLeft();
    }
  } finally {
    timers.restore();
  }
});

test("200 joins at once leave nothing behind", async () => {
  const { aborter, options, timers, nothingIsLeft } = shared();
  try {
    const joins = Array.from({ length: 200 }, () => converse(options));
    assertEquals(aborter.listeners, 200);
    await Promise.all(joins);
    nothingIsLeft();
  } finally {
    timers.restore();
  }
});

test("200 joins that one signal aborts leave nothing behind", async () => {
  const { aborter, options, timers, nothingIsLeft } = shared();
  try {
    const reason = new Error("enough");
    const joins = Array.from({ length: 200 }, async () => {
      const [client, a] = memoryPair();
      const [b] = memoryPair();
      const joined = join(a, b, options);
      // More than there is room for: it waits, and fails when the join ends.
      const written = client.writable.getWriter().write(new Uint8Array(MIB));
      await Promise.all([
        assertRejects(() => joined, Error, reason.message),
        assertRejects(() => written, Error, reason.message),
      ]);
    });
    aborter.abort(reason);
    await Promise.all(joins);
    nothingIsLeft();
  } finally {
    timers.restore();
  }
});

/** Elsewhere nobody tells what memory is in use. */
const on = ["deno", "bun", "node"] as const;

test("512 MiB more through one join are not kept", { on }, async () => {
  const { default: process } = await import("node:process");
  const { options, timers, nothingIsLeft } = shared();
  try {
    const [client, a] = memoryPair({ capacity: MIB });
    const [b, server] = memoryPair({ capacity: MIB });
    const joined = join(a, b, options);
    let received = 0;
    const reading = server.readable.pipeTo(
      new WritableStream({
        write(chunk) {
          received += chunk.length;
        },
      }),
    );
    const writer = client.writable.getWriter();
    const chunk = new Uint8Array(MIB);
    // The least of each half, as the rest is up to the garbage collector, whose limits grow, too.
    const least = [Infinity, Infinity];
    for (let sent = 0; sent < 1024; sent++) {
      const half = sent < 512 ? 0 : 1;
      const { heapUsed, external } = process.memoryUsage();
      least[half] = Math.min(least[half], heapUsed + external);
      await writer.write(chunk);
    }
    await writer.close();
    await reading;
    await server.writable.close();
    const { aToB } = await joined;
    assertEquals([aToB.bytes, received], [1024 * MIB, 1024 * MIB]);
    const grown = least[1] - least[0];
    assert(grown < 256 * MIB, `grown by ${Math.round(grown / MIB)} MiB`);
    nothingIsLeft();
  } finally {
    timers.restore();
  }
});
