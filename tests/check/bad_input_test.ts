/** What is no end and no option: named, before anything is read, locked or closed. */
import {
  BufferPool,
  duplex,
  join,
  type JoinOptions,
  memoryPair,
  type Pair,
  pipe,
  type Reader,
  type Writer,
} from "@webstreams/join";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { test } from "../harness.ts";
import { rejection, turns } from "../support/async.ts";
import { BYTES, FakeEnd, KINDS } from "../support/fake_end.ts";
import { untyped } from "../support/untyped.ts";

type ErrorClass = typeof TypeError | typeof RangeError;

/** Nothing has been read, locked, written or closed. */
async function assertUntouched(...ends: FakeEnd[]): Promise<void> {
  await turns(1);
  for (const { end, kind, reads, writes, calls } of ends) {
    assertEquals([reads, writes, calls], [0, 0, []], kind);
    if ("readable" in end) assertEquals([end.readable.locked, end.writable.locked], [false, false]);
  }
}

async function assertRefused(
  promise: Promise<unknown>,
  errorClass: ErrorClass,
  ...parts: string[]
): Promise<void> {
  const error = await rejection(promise);
  assertInstanceOf(error, errorClass);
  for (const part of parts) assertStringIncludes(error.message, part);
}

const TIMEOUT_RULE = "must be more than 0 and at most 2147483647 milliseconds, or Infinity";
const BYTES_RULE = "must be a positive safe integer of bytes";

const OUT_OF_RANGE: readonly [keyof JoinOptions, string, readonly unknown[]][] = [
  ["idleTimeout", TIMEOUT_RULE, [0, -0, -1, NaN, 2 ** 31, -Infinity]],
  ["maxDuration", TIMEOUT_RULE, [0, -0, -1, NaN, 2 ** 31, -Infinity]],
  ["halfCloseTimeout", TIMEOUT_RULE, [0, -1, NaN, 2 ** 31, Number.MAX_VALUE]],
  ["limit", BYTES_RULE, [0, -1, 1.5, 0.5, NaN, Infinity, 2 ** 53]],
  ["rate", "must be more than 0 bytes a second", [0, -1, NaN, -Infinity]],
];

const WRONG_TYPE: readonly [keyof JoinOptions, string, readonly unknown[]][] = [
  ["idleTimeout", TIMEOUT_RULE, ["5", null, true, 5n, {}]],
  ["maxDuration", TIMEOUT_RULE, ["5", null, true, 5n, {}]],
  ["halfCloseTimeout", TIMEOUT_RULE, ["5", null, new Date(5)]],
  ["limit", BYTES_RULE, ["5", null, 5n, true, () => 5]],
  ["limit", "must have no more than 'aToB' and 'bToA'", [{ atob: 5 }, { aToB: 5, b: 5 }, [5]]],
  ["rate", "must be more than 0 bytes a second", ["5", null, true]],
  ["rate", "must have no more than 'aToB' and 'bToA'", [{ up: 5 }]],
  ["signal", "must be an AbortSignal", [null, {}, "abort", new AbortController()]],
  ["drain", "must be an AbortSignal", [null, {}, "abort", true, new AbortController()]],
  ["pool", "must be a BufferPool", [null, {}, 5, BufferPool]],
  ["stats", "must be an object", [null, 5, "bytes"]],
  ["preventClose", "must be a boolean", [null, 1, "a", { a: 1 }, { b: "yes" }]],
  ["preventClose", "must have no more than 'a' and 'b'", [{ c: true }, { a: true, aToB: true }]],
  ["via", `must be "auto" or "pipeTo"`, [null, "pipeto", "", 5, true]],
  ["halfClose", `must be "pass" or "end"`, [null, "receive", "", 5, true, false]],
];

function bothWays(name: keyof JoinOptions, values: readonly unknown[]): readonly unknown[] {
  if (name !== "limit" && name !== "rate") return values;
  return values.flatMap((value) => [value, { aToB: value }, { bToA: value }]);
}

for (const kind of KINDS) {
  test(`join: options out of range are named, and nothing is touched (${kind})`, async () => {
    for (const [name, rule, values] of OUT_OF_RANGE) {
      for (const value of bothWays(name, values)) {
        const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
        const parts = [`Cannot join as '${name}' ${rule}: got `];
        if (typeof value === "number") parts.push(`got ${value}`);
        await assertRefused(join(a.end, b.end, untyped({ [name]: value })), RangeError, ...parts);
        await assertUntouched(a, b);
      }
    }
  });

  test(`join: so are options of a wrong type (${kind})`, async () => {
    for (const [name, rule, values] of WRONG_TYPE) {
      for (const value of values) {
        const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
        const refused = join(a.end, b.end, untyped({ [name]: value }));
        await assertRefused(refused, TypeError, `Cannot join as '${name}' ${rule}`, ": got ");
        await assertUntouched(a, b);
      }
    }
  });
}

test("join: what is just within the range is taken", async () => {
  const { MAX_SAFE_INTEGER, MIN_VALUE, MAX_VALUE } = Number;
  const options: JoinOptions[] = [
    { idleTimeout: 2 ** 31 - 1, halfCloseTimeout: 2 ** 31 - 1 },
    { idleTimeout: Infinity, halfCloseTimeout: Infinity },
    { halfCloseTimeout: 10_000.5 },
    { maxDuration: 2 ** 31 - 1, halfClose: "end" },
    { maxDuration: Infinity, halfClose: "pass", drain: new AbortController().signal },
    { limit: MAX_SAFE_INTEGER, rate: Infinity },
    { limit: 1, rate: { aToB: MIN_VALUE } },
    { limit: { bToA: 1 }, rate: MAX_VALUE },
    { limit: { aToB: undefined }, preventClose: { a: undefined } },
  ];
  for (const each of options) {
    const [a, b] = [new FakeEnd("conn"), new FakeEnd("default")];
    a.finish();
    b.finish();
    assertEquals((await join(a.end, b.end, each)).ended, "eof");
  }
});

test("join: options that are none", async () => {
  for (const value of [5, "auto", true, () => {}]) {
    const [a, b] = [new FakeEnd("conn"), new FakeEnd(BYTES)];
    const refused = join(a.end, b.end, untyped(value));
    await assertRefused(refused, TypeError, "Cannot join as 'options' must be an object: got ");
    await assertUntouched(a, b);
  }
});

test("join: an option that there is not", async () => {
  const known = "no more than 'signal', 'idleTimeout', 'halfCloseTimeout', 'maxDuration', ";
  for (const name of ["timeout", "Signal", "preventCancel", "0", "toString"]) {
    const [a, b] = [new FakeEnd("conn"), new FakeEnd(BYTES)];
    const refused = join(a.end, b.end, untyped({ [name]: 5000, limit: 5 }));
    await assertRefused(
      refused,
      TypeError,
      "Cannot join as 'options' must have ",
      known,
      `: got "${name}"`,
    );
    await assertUntouched(a, b);
  }
  const [a, b] = [new FakeEnd("conn"), new FakeEnd(BYTES)];
  a.finish();
  b.finish();
  class Options {
    timeout = undefined;
    other(): void {}
  }
  assertEquals((await join(a.end, b.end, untyped(new Options()))).ended, "eof");
});

test("others: an option that there is not", () => {
  const options = { timeout: 5000 };
  const streams = [new ReadableStream(), new WritableStream()] as const;
  const calls: [() => unknown, string][] = [
    [
      () => duplex(...streams, untyped(options)),
      "Cannot make a duplex as 'options' must have no more than 'close'",
    ],
    [
      () => new BufferPool(untyped(options)),
      "Cannot create a pool as 'options' must have no more than 'maxHeld', 'maxLent', 'maxBuffer'",
    ],
    [
      () => memoryPair(untyped(options)),
      "Cannot make a pair as 'options' must have no more than 'capacity'",
    ],
  ];
  for (const [call, message] of calls) {
    assertThrows(call, TypeError, `${message}: got "timeout"`);
  }
});

test("pipe: options of others are left alone, as by pipeTo", async () => {
  const readable = new ReadableStream({ start: (its) => its.close() });
  const counts = await pipe(readable, new WritableStream(), untyped({ timeout: 5000 }));
  assertEquals(counts.bytes, 0);
});

const NO_ENDS: readonly [string, unknown, string][] = [
  ["undefined", undefined, "must be a pair of streams or a Go-style end: got undefined"],
  ["null", null, "got null"],
  ["a number", 5, "got 5"],
  ["a text", "tcp://localhost", `got "tcp://localhost"`],
  ["an empty object", {}, "must have a 'readable' that is a ReadableStream: got undefined"],
  ["a function", () => {}, "must have a 'readable'"],
  ["an array", [], "must have a 'readable'"],
  ["a ReadableStream", new ReadableStream(), "must have both a 'readable' and a 'writable'"],
  ["a WritableStream", new WritableStream(), "see duplex()"],
  ["a pair without writable", { readable: new ReadableStream() }, "must have a 'writable'"],
  ["a pair without readable", { writable: new WritableStream() }, "must have a 'readable'"],
  [
    "a pair the wrong way round",
    { readable: new WritableStream(), writable: new ReadableStream() },
    "must have a 'readable' that is a ReadableStream: got an object (WritableStream)",
  ],
  [
    "a halfClose that is no boolean",
    { readable: new ReadableStream(), writable: new WritableStream(), halfClose: "no" },
    `must have a 'halfClose' that is a boolean or "receive": got "no"`,
  ],
  [
    "a close that is no function",
    { readable: new ReadableStream(), writable: new WritableStream(), close: true },
    "must have a 'close' function: got true",
  ],
  [
    "a Go-style end without close",
    { read: () => null, write: () => 1 },
    "must have a 'close' function: got ",
  ],
  [
    "a Go-style end whose halfClose is no boolean",
    { read: () => null, write: () => 1, close() {}, halfClose: "no" },
    `must have a 'halfClose' that is a boolean or "receive": got "no"`,
  ],
  [
    "a Go-style end that cannot half-close as it says",
    { read: () => null, write: () => 1, close() {}, halfClose: true },
    "must have a 'closeWrite' function if its 'halfClose' is true: got ",
  ],
  ["a Go-style source alone", { read: () => null, close() {} }, "must have a 'readable'"],
];

for (const [name, value, part] of NO_ENDS) {
  test(`join: ${name} is no end`, async () => {
    for (const kind of KINDS) {
      const end = new FakeEnd(kind);
      await assertRefused(
        join(untyped<Pair>(value), end.end),
        TypeError,
        "Cannot join as 'a' ",
        part,
      );
      await assertRefused(
        join(end.end, untyped<Pair>(value)),
        TypeError,
        "Cannot join as 'b' ",
        part,
      );
      await assertUntouched(end);
    }
  });
}

for (const kind of KINDS) {
  test(`join: an end with itself (${kind})`, async () => {
    const end = new FakeEnd(kind);
    await assertRefused(
      join(end.end, end.end),
      TypeError,
      "Cannot join as 'b' must be another end than 'a': got ",
    );
    await assertUntouched(end);
  });

  for (const half of ["readable", "writable"] as const) {
    test(`join: a pair with a locked ${half} (${kind})`, async () => {
      const other = new FakeEnd(kind);
      const pair = { readable: new ReadableStream(), writable: new WritableStream() };
      if (half === "readable") pair.readable.getReader();
      else pair.writable.getWriter();
      const part = `must not have a locked '${half}'`;
      await assertRefused(join(pair, other.end), TypeError, `'a' ${part}`);
      await assertRefused(join(other.end, pair), TypeError, `'b' ${part}`);
      await assertUntouched(other);
      assertEquals(pair[half === "readable" ? "writable" : "readable"].locked, false);
    });
  }
}

test("join: two pairs that share a stream", async () => {
  const [a, b] = [new FakeEnd(BYTES), new FakeEnd("default")];
  const readable = (a.end as Pair).readable;
  const writable = new WritableStream();
  await assertRefused(join(a.end, { readable, writable }), TypeError, "locked");
  await assertUntouched(a, b);
  assertEquals(writable.locked, false);
});

test("join: an option's getter that throws", async () => {
  const [a, b] = [new FakeEnd("conn"), new FakeEnd(BYTES)];
  const error = new Error("from the getter");
  const options = {
    get limit(): number {
      throw error;
    },
  };
  assertEquals(await rejection(join(a.end, b.end, options)), error);
  await assertUntouched(a, b);
});

test("join: no error is thrown rather than rejected with", async () => {
  const results = [
    join(untyped<Pair>(null), untyped<Pair>(null)),
    pipe(untyped<Reader>(null), untyped<Writer>(null)),
  ];
  for (const result of results) assert(result instanceof Promise);
  for (const result of results) assertInstanceOf(await rejection(result), TypeError);
});

test("pipe: options out of range and of a wrong type", async () => {
  const bad: [Record<string, unknown>, ErrorClass][] = [
    [{ limit: 0 }, RangeError],
    [{ limit: 1.5 }, RangeError],
    [{ limit: "5" }, TypeError],
    [{ rate: NaN }, RangeError],
    [{ rate: "5" }, TypeError],
    [{ pool: {} }, TypeError],
    [{ stats: 5 }, TypeError],
    [{ signal: {} }, TypeError],
    [{ buffer: [1, 2] }, TypeError],
    [{ buffer: new ArrayBuffer(8) }, TypeError],
    [{ buffer: new Uint8Array() }, RangeError],
  ];
  for (const [options, errorClass] of bad) {
    const [name] = Object.keys(options);
    const [a, b] = [new FakeEnd("conn"), new FakeEnd("default")];
    const refused = pipe(untyped<Reader>(a.end), (b.end as Pair).writable, untyped(options));
    await assertRefused(refused, errorClass, `Cannot pipe as '${name}' must `, ": got ");
    await assertUntouched(a, b);
  }
});
