import { BufferPool, type BufferPoolOptions } from "@webstreams/join";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "./harness.ts";
import { untyped } from "./support/untyped.ts";

const MiB = 1024 * 1024;

test("a buffer is of the next power of two, at least 512 bytes", () => {
  const pool = new BufferPool();
  const sizes = [1, 512, 513, 1024, 1025, 65_536, 1_000_000, 1_048_576];
  const lengths = [512, 512, 1024, 1024, 2048, 65_536, 1_048_576, 1_048_576];
  assertEquals(sizes.map((size) => pool.acquire(size).length), lengths);
});

test("the pool knows what it has lent and what it holds", () => {
  const pool = new BufferPool();
  assertEquals([pool.lent, pool.held], [0, 0]);
  const [a, b] = [pool.acquire(512), pool.acquire(2000)];
  assertEquals([pool.lent, pool.held], [2560, 0]);
  pool.release(a);
  assertEquals([pool.lent, pool.held], [2048, 512]);
  pool.writeOff(b.length);
  assertEquals([pool.lent, pool.held], [0, 512]);
});

test("what came back is lent again", () => {
  const pool = new BufferPool();
  const [a, b] = [pool.acquire(600), pool.acquire(600)];
  assert(a !== b);
  pool.release(a);
  assertStrictEquals(pool.acquire(1024), a);
  assertEquals([pool.lent, pool.held], [2048, 0]);
  pool.release(b);
  assert(pool.acquire(512) !== b);
});

test("no more is held than the cap", () => {
  const pool = new BufferPool({ maxHeld: 2048 });
  const lent = [512, 512, 1024, 1024, 512].map((size) => pool.acquire(size));
  for (const buffer of lent) pool.release(buffer);
  assertEquals([pool.lent, pool.held], [0, 2048]);
  const beyond = "transfer" in ArrayBuffer.prototype ? 0 : 1024;
  assertEquals(lent.map(({ length }) => length), [512, 512, 1024, beyond, beyond && 512]);
});

test("the cap and the largest buffer have defaults that fit each other", () => {
  const sizes = (options?: BufferPoolOptions) => {
    const { maxHeld, maxBuffer } = new BufferPool(options);
    return [maxHeld, maxBuffer];
  };
  assertEquals(sizes(), [2 * MiB, MiB]);
  assertEquals(sizes({ maxHeld: 100_000 }), [100_000, 65_536]);
  assertEquals(sizes({ maxBuffer: 5000 }), [2 * MiB, 4096]);
  assertEquals(sizes({ maxHeld: 512, maxBuffer: 512 }), [512, 512]);
});

test("a buffer that a BYOB read has transferred comes back as well", () => {
  const pool = new BufferPool();
  const transferred = new Uint8Array(structuredClone(pool.acquire(512).buffer));
  pool.release(transferred);
  assertEquals([pool.lent, pool.held], [0, 512]);
});

test("only a whole buffer is taken back", () => {
  const pool = new BufferPool({ maxHeld: 4096 });
  const buffer = pool.acquire(1024);
  const detached = pool.acquire(512);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const refused = [
    buffer.subarray(0, 512),
    buffer.subarray(512),
    new Uint8Array(0),
    new Uint8Array(513),
    new Uint8Array(256),
    new Uint8Array(8192),
    detached,
  ];
  for (const part of refused) assertThrows(() => pool.release(part), RangeError, "must be whole");
  assertEquals([pool.lent, pool.held], [1536, 0]);
});

test("sizes that cannot be lent", () => {
  const pool = new BufferPool({ maxBuffer: 1024 });
  for (const size of [0, -1, 1.5, NaN, Infinity, 1025]) {
    assertThrows(
      () => pool.acquire(size),
      RangeError,
      `Cannot lend a buffer as 'size' must be an integer of 1 to 1024 bytes: got ${size}`,
    );
  }
  assertThrows(() => pool.acquire(untyped("512")), RangeError, `got "512"`);
  assertEquals(pool.lent, 0);
});

test("a cap and a largest buffer that are out of range", () => {
  for (const name of ["maxHeld", "maxBuffer", "maxLent"]) {
    for (const value of [0, 511, -1, 1024.5, NaN, Infinity, 2 ** 53, "4096", null]) {
      assertThrows(
        () => new BufferPool(untyped({ [name]: value })),
        RangeError,
        `Cannot create a pool as '${name}' must be an integer of 512 to `,
      );
    }
  }
});

test("what is lent to one follows what is left", () => {
  const pool = new BufferPool({ maxLent: 32 * MiB });
  const lengths: number[] = [];
  while (lengths.length < 200) lengths.push(pool.acquire(MiB).length);
  assertEquals(lengths[0], MiB);
  for (const [index, length] of lengths.entries()) {
    assert(index === 0 || length <= lengths[index - 1]!, `${lengths}`);
  }
  assertEquals(lengths.at(-1), 4096);
  // A part is kept for those that move, and the more so the longer they do.
  assert(pool.lent < 24 * MiB);
  assertEquals(pool.acquire(MiB, 8 * MiB).length, 8 * 1024);
  assertEquals(pool.acquire(MiB, 64 * MiB).length, 256 * 1024);
  assertEquals(pool.acquire(MiB, 1024 * MiB).length, MiB);
});

test("a pool whose budget is spent lends the least", () => {
  const pool = new BufferPool({ maxLent: 2048 });
  const lengths = Array.from({ length: 6 }, () => pool.acquire(2048).length);
  assertEquals(lengths, [512, 512, 512, 512, 512, 512]);
  assertEquals(pool.lent, 3072);
});

test("what is given back is lent again in full", () => {
  const pool = new BufferPool({ maxLent: 16 * MiB });
  const first = Array.from({ length: 100 }, () => pool.acquire(MiB));
  for (const buffer of first) pool.release(buffer);
  assertEquals(pool.lent, 0);
  assertEquals(pool.acquire(MiB).length, MiB);
});

test("a largest buffer beyond the budget", () => {
  assertThrows(
    () => new BufferPool({ maxLent: 1024, maxBuffer: 2048 }),
    RangeError,
    "Cannot create a pool as 'maxBuffer' must be an integer of 512 to 1024 bytes: got 2048",
  );
  assertEquals(new BufferPool({ maxLent: 5000 }).maxBuffer, 4096);
});

test("a buffer larger than the pool's cap", () => {
  assertThrows(
    () => new BufferPool({ maxHeld: 1024, maxBuffer: 2048 }),
    RangeError,
    "Cannot create a pool as 'maxBuffer' must be an integer of 512 to 1024 bytes: got 2048",
  );
  // The default cap is one as well.
  assertThrows(() => new BufferPool({ maxBuffer: 2 ** 25 }), RangeError, "'maxBuffer' must be");
});
