/** The stand-in for `@std/assert` finds equal what Node does, and nothing else. */
import fc from "fast-check";
import { inspect, isDeepStrictEqual } from "node:util";
import { test } from "../harness.ts";
import { assertEquals, assertNotEquals } from "../std_assert/mod.ts";

class Point {
  constructor(readonly x: number, readonly y: number) {}
}

const cycle: { self?: unknown } = {};
cycle.self = cycle;

/** Few values, so that two are often equal, and of every type that tests compare. */
const leaves = fc.constantFrom<unknown>(
  ...[
    0,
    -0,
    NaN,
    1n,
    "",
    "0",
    true,
    null,
    undefined,
    Symbol.iterator,
    inspect,
    cycle,
  ],
  ...[new Date(0), new Date(1), /a/, /a/g, new URL("a:b"), new URL("a:c")],
  ...[
    new Error("a"),
    new Error("b"),
    new TypeError("a"),
    new Error("a", { cause: 1 }),
  ],
  ...[new Point(0, 0), new Point(0, 1), { x: 0, y: 0 }, { x: 0 }, {
    x: 0,
    y: undefined,
  }],
  ...[
    new Uint8Array(2),
    new Uint8Array([0, 1]),
    new Int8Array(2),
    new Uint8Array([9, 0, 0]).subarray(1),
  ],
  ...[
    new ArrayBuffer(2),
    new ArrayBuffer(3),
    Promise.resolve(),
    Promise.resolve(),
    new WeakMap(),
    new WeakMap(),
  ],
  ...[[0, 1], [0, undefined], new Array(2), Object.assign([0], { x: 0 })],
);
const values = fc.letrec<{ value: unknown }>((tie) => {
  const some = fc.array(tie("value"), { maxLength: 2 });
  return {
    value: fc.oneof(
      { maxDepth: 3 },
      leaves,
      some,
      some.map((items) => new Set(items)),
      some.map((items) => new Map(items.map((item, at) => [at % 2 ? item : at, item]))),
      fc.dictionary(fc.constantFrom("a", "b"), tie("value")),
    ),
  };
}).value;

test("assertEquals agrees with Node", () =>
  fc.assert(
    fc.property(values, values, (one, other) => {
      const verify = isDeepStrictEqual(one, other) ? assertEquals : assertNotEquals;
      verify(one, other);
      assertEquals(one, one);
    }),
    { numRuns: 20_000 },
  ));

test("assertEquals agrees with Node on what was cloned", () =>
  fc.assert(
    fc.property(values, (value) => {
      const clone = copy(value);
      const verify = isDeepStrictEqual(value, clone) ? assertEquals : assertNotEquals;
      verify(value, clone);
    }),
    { numRuns: 5000 },
  ));

function copy(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return value;
  }
}
