/**
 * What `pipeTo(destination, options)` does before it pipes: Web IDL's conversion of its arguments
 * (StreamPipeOptions), its own steps 1 to 4, and the locks (ReadableStreamPipeTo steps 6 to 11).
 *
 * @module
 */
import { pipe } from "@webstreams/join";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { rejection } from "../support/async.ts";
import { NODES, type Pipe, Rig, rule, settle } from "./helpers.ts";

const OPTIONS = ["preventAbort", "preventCancel", "preventClose", "signal"] as const;

/** Options whose getters note that they were read; the one named `throws` throws `error`. */
function noting(names: readonly string[], throws?: string, error?: unknown): {
  options: StreamPipeOptions;
  read: string[];
} {
  const read: string[] = [];
  const options = {};
  for (const name of names) {
    Object.defineProperty(options, name, {
      get() {
        read.push(name);
        if (name === throws) throw error;
        return undefined;
      },
    });
  }
  return { options, read };
}

/** Nothing was called, and nothing is locked. */
async function assertUntouched(rig: Rig): Promise<void> {
  await settle();
  assertEquals(rig.calls, []);
  assertEquals(rig.locked, [false, false]);
}

/** Calls it with arguments that the types forbid. */
function callWith(pipe: Pipe, source: unknown, sink: unknown, options?: unknown): Promise<unknown> {
  return pipe(source as never, sink as never, options as never);
}

rule("both streams are locked before it returns (pipeTo, steps 8 to 10)", async (pipe) => {
  const rig = new Rig();
  const done = pipe(rig.source, rig.sink);
  assertEquals(rig.locked, [true, true]);
  rig.input.close();
  await done;
});

rule("options are read once each, in the order of their names (Web IDL)", async (pipe) => {
  const rig = new Rig({ closed: true });
  const { options, read } = noting([...OPTIONS].reverse());
  await pipe(rig.source, rig.sink, options);
  assertEquals(read, [...OPTIONS]);
});

OPTIONS.forEach((name, index) => {
  rule(
    `a getter of '${name}' that throws ends it, and no later one is read (Web IDL)`,
    async (pipe) => {
      const rig = new Rig({ chunks: ["a"] });
      const error = new Error("getter");
      const { options, read } = noting(OPTIONS, name, error);
      assertStrictEquals(await rejection(pipe(rig.source, rig.sink, options)), error);
      assertEquals(read, OPTIONS.slice(0, index + 1));
      await assertUntouched(rig);
    },
  );
});

rule("options are read off the prototype as well (Web IDL)", async (pipe) => {
  const rig = new Rig({ closed: true });
  await pipe(rig.source, rig.sink, Object.create({ preventClose: true }));
  assertEquals(rig.calls, []);
});

const DEFAULTS: [string, unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["an object", {}],
  ["a function", () => {}],
];

for (const [what, options] of DEFAULTS) {
  rule(`${what} as options leaves the defaults (Web IDL)`, async (pipe) => {
    const rig = new Rig({ closed: true });
    await callWith(pipe, rig.source, rig.sink, options);
    assertEquals(rig.calls, [["close"]]);
  });
}

for (const options of [0, "", "text", true, Symbol("options"), 1n]) {
  rule(
    `${typeof options} '${String(options)}' as options is a TypeError (Web IDL)`,
    async (pipe) => {
      const rig = new Rig({ closed: true });
      assertInstanceOf(await rejection(callWith(pipe, rig.source, rig.sink, options)), TypeError);
      await assertUntouched(rig);
    },
  );
}

const TRUTHY = [true, "false", 1, -1, 1n, Symbol("truthy"), {}, [], () => {}];
const FALSY = [undefined, null, false, 0, -0, NaN, 0n, ""];

for (const name of ["preventAbort", "preventCancel", "preventClose"] as const) {
  rule(`'${name}' is true for whatever is truthy (Web IDL, boolean)`, async (pipe) => {
    for (const value of TRUTHY) assertEquals(await callsWith(pipe, name, value), [], String(value));
  });

  rule(`'${name}' is false for whatever is falsy (Web IDL, boolean)`, async (pipe) => {
    for (const value of FALSY) {
      assertEquals((await callsWith(pipe, name, value)).length, 1, String(value));
    }
  });
}

/** What is called when the event happens that the option is for. */
async function callsWith(pipe: Pipe, name: string, value: unknown): Promise<string[]> {
  const rig = new Rig();
  if (name === "preventAbort") rig.input.error(new Error("source"));
  if (name === "preventCancel") rig.output.error(new Error("sink"));
  if (name === "preventClose") rig.input.close();
  await callWith(pipe, rig.source, rig.sink, { [name]: value }).catch(() => {});
  return rig.calls.map(([call]) => call);
}

const NO_SIGNALS: [what: string, signal: unknown, brokenOn?: string[]][] = [
  ["null", null],
  ["true", true],
  ["a number", -1],
  ["a string", "AbortSignal"],
  ["an object", {}],
  ["an AbortController", new AbortController()],
  ["another event target", new EventTarget()],
  // Node takes it, and never settles.
  ["an heir of AbortSignal", Object.create(AbortSignal.prototype), NODES],
];

for (const [what, signal, brokenOn] of NO_SIGNALS) {
  rule(`${what} as 'signal' is a TypeError (Web IDL)`, { brokenOn }, async (pipe) => {
    const rig = new Rig({ chunks: ["a"] });
    const done = callWith(pipe, rig.source, rig.sink, { signal });
    assertInstanceOf(await rejection(done), TypeError);
    await assertUntouched(rig);
  });
}

rule("undefined as 'signal' is none (Web IDL)", async (pipe) => {
  const rig = new Rig({ closed: true });
  await pipe(rig.source, rig.sink, { signal: undefined });
  assertEquals(rig.calls, [["close"]]);
});

const NO_STREAMS: [string, unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["a string", "stream"],
  ["an object", {}],
  ["an object that only inherits from WritableStream", Object.create(WritableStream.prototype)],
  ["an object that only inherits from ReadableStream", Object.create(ReadableStream.prototype)],
];

for (const [what, other] of NO_STREAMS) {
  rule(`${what} as the source is a TypeError (Web IDL, brand check)`, async (pipe) => {
    const rig = new Rig();
    assertInstanceOf(await rejection(callWith(pipe, other, rig.sink)), TypeError);
    await assertUntouched(rig);
  });

  rule(`${what} as the sink is a TypeError (Web IDL, brand check)`, async (pipe) => {
    const rig = new Rig();
    assertInstanceOf(await rejection(callWith(pipe, rig.source, other)), TypeError);
    await assertUntouched(rig);
  });
}

rule("source and sink the wrong way round are a TypeError (Web IDL, brand check)", async (pipe) => {
  const rig = new Rig();
  assertInstanceOf(await rejection(callWith(pipe, rig.sink, rig.source)), TypeError);
  await assertUntouched(rig);
});

rule(
  "the sink is checked before an option is read (Web IDL)",
  { brokenOn: ["webkit"] },
  async (pipe) => {
    const { options, read } = noting(OPTIONS);
    await rejection(callWith(pipe, new ReadableStream(), {}, options));
    assertEquals(read, []);
  },
);

rule("a locked source is a TypeError, and the sink stays free (pipeTo, step 1)", async (pipe) => {
  const rig = new Rig({ chunks: ["a"] });
  const reader = rig.source.getReader();
  assertInstanceOf(await rejection(pipe(rig.source, rig.sink)), TypeError);
  assertEquals(rig.locked, [true, false]);
  assertEquals(await reader.read(), { done: false, value: "a" });
  assertEquals(rig.calls, []);
});

rule("a locked sink is a TypeError, and the source stays free (pipeTo, step 2)", async (pipe) => {
  const rig = new Rig({ chunks: ["a"] });
  const writer = rig.sink.getWriter();
  assertInstanceOf(await rejection(pipe(rig.source, rig.sink)), TypeError);
  assertEquals(rig.locked, [false, true]);
  await writer.write("b");
  assertEquals(rig.calls, [["write", "b"]]);
});

rule("an errored source that is locked is a TypeError still (pipeTo, step 1)", async (pipe) => {
  const rig = new Rig();
  rig.input.error(new Error("source"));
  rig.source.getReader().closed.catch(() => {});
  assertInstanceOf(await rejection(pipe(rig.source, rig.sink)), TypeError);
  assertEquals(rig.calls, []);
});

rule(
  "a getter that locks the source makes it a TypeError (pipeTo, step 1 after Web IDL)",
  async (pipe) => {
    const rig = new Rig();
    const options = {
      get preventAbort() {
        return rig.source.getReader() === undefined;
      },
    };
    assertInstanceOf(await rejection(pipe(rig.source, rig.sink, options)), TypeError);
    assertEquals(rig.locked, [true, false]);
  },
);

rule(
  "a getter that locks the sink makes it a TypeError (pipeTo, step 2 after Web IDL)",
  async (pipe) => {
    const rig = new Rig();
    const options = {
      get preventAbort() {
        return rig.sink.getWriter() === undefined;
      },
    };
    assertInstanceOf(await rejection(pipe(rig.source, rig.sink, options)), TypeError);
    assertEquals(rig.locked, [false, true]);
  },
);

rule(
  "options come before locks: a getter's error rather than a TypeError (Web IDL)",
  async (pipe) => {
    const rig = new Rig();
    rig.source.getReader();
    const error = new Error("getter");
    const { options } = noting(OPTIONS, "signal", error);
    assertStrictEquals(await rejection(pipe(rig.source, rig.sink, options)), error);
  },
);

rule(
  "an invalid signal comes before a locked stream, and so does an aborted one not",
  async (pipe) => {
    const rig = new Rig();
    rig.source.getReader();
    const done = pipe(rig.source, rig.sink, { signal: AbortSignal.abort("reason") });
    assertInstanceOf(await rejection(done), TypeError);
    assertEquals(rig.locked, [true, false]);
  },
);

rule("a stream that is piped is locked for a second pipe (pipeTo, steps 1 and 2)", async (pipe) => {
  const rig = new Rig({ chunks: ["a"] });
  const first = pipe(rig.source, rig.sink);
  assertInstanceOf(await rejection(pipe(rig.source, new WritableStream())), TypeError);
  assertInstanceOf(await rejection(pipe(new ReadableStream(), rig.sink)), TypeError);
  rig.input.close();
  await first;
  assertEquals(rig.calls, [["write", "a"], ["close"]]);
});

const ALL = [
  ...["buffer", "consumesOnWrite", "limit", "pool", "preventAbort", "preventCancel"],
  ...["preventClose", "rate", "signal", "stats"],
];

test("pipe: its own options take their place in the order of names", async () => {
  const rig = new Rig({ closed: true });
  const { options, read } = noting([...ALL].reverse());
  await pipe(rig.source, rig.sink, options);
  assertEquals(read, ALL);
});

for (const name of ALL.filter((name) => !OPTIONS.some((option) => option === name))) {
  test(`pipe: a getter of its own '${name}' that throws ends it`, async () => {
    const rig = new Rig({ chunks: ["a"] });
    const error = new Error("getter");
    const { options, read } = noting(ALL, name, error);
    assertStrictEquals(await rejection(pipe(rig.source, rig.sink, options)), error);
    assertEquals(read, ALL.slice(0, ALL.indexOf(name) + 1));
    await assertUntouched(rig);
  });
}

test("pipe: an error of the arguments rejects and does not throw", () => {
  const promise = callWith(pipe, 1, 2, 3);
  assert(promise instanceof Promise);
  promise.catch(() => {});
});
