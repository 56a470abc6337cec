/**
 * ReadableStreamPipeTo, steps 14 and 15: the signal among other events. "If shuttingDown is true,
 * abort these substeps": what came first stands. And nothing is left on it.
 *
 * @module
 */
import { pipe } from "@webstreams/join";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { type Call, follow, Rig, rule, settle } from "./helpers.ts";
import { macrotask, rejection } from "../support/async.ts";
import { ABORTS_LATE } from "../support/deviations.ts";

const SOURCE = new Error("source");
const SINK = new Error("sink");
const REASON = new Error("reason");
const byReason = { state: "rejected", reason: REASON } as const;
const BOTH: Call[] = [["abort", REASON], ["cancel", REASON]];
const GAPS: [string, () => void | Promise<void>][] = [
  ["in the same turn", () => {}],
  ["a microtask", () => Promise.resolve()],
  ["a turn", macrotask],
];
// The sink's mark, whether it is erroring, whether the abort comes first.
const CASES = [1, 2].flatMap((mark) =>
  [true, false].flatMap((erroring) =>
    [true, false].map((abortFirst) => [mark, erroring, abortFirst] as const)
  )
);

const FIRST: [string, (rig: Rig) => void, StreamPipeOptions, unknown, Call[]][] = [
  ["the source has closed", (rig) => rig.input.close(), {}, undefined, [["close"]]],
  [
    "the source has closed, preventClose",
    (rig) => rig.input.close(),
    { preventClose: true },
    undefined,
    [],
  ],
  ["the source has errored", (rig) => rig.input.error(SOURCE), {}, SOURCE, [["abort", SOURCE]]],
  [
    "the source has errored, preventAbort",
    (rig) => rig.input.error(SOURCE),
    { preventAbort: true },
    SOURCE,
    [],
  ],
  ["the sink has errored", (rig) => rig.output.error(SINK), {}, SINK, [["cancel", SINK]]],
  [
    "the sink has errored, preventCancel",
    (rig) => rig.output.error(SINK),
    { preventCancel: true },
    SINK,
    [],
  ],
];

for (const [what, happen, prevented, reason, calls] of FIRST) {
  for (const [when, gap] of GAPS) {
    rule(`an abort ${when} after ${what} changes nothing (shutdown, 1)`, async (pipe) => {
      const rig = new Rig();
      const controller = new AbortController();
      const { signal } = controller;
      const outcome = follow(pipe(rig.source, rig.sink, { ...prevented, signal }));
      await settle();
      happen(rig);
      await gap();
      controller.abort(REASON);
      await settle();
      const expected = reason ? { state: "rejected", reason } : { state: "fulfilled" };
      assertEquals(outcome as unknown, expected);
      assertEquals(rig.calls, calls);
      assertEquals(rig.locked, [false, false]);
    });
  }
}

for (const [what, happen, prevented, reason, calls] of FIRST.slice(0, 4)) {
  rule(
    `an abort after ${what}, with a write under way, changes nothing (shutdown, 1)`,
    async (pipe) => {
      const rig = new Rig({ chunks: ["a"], hold: true });
      const controller = new AbortController();
      const { signal } = controller;
      const outcome = follow(pipe(rig.source, rig.sink, { ...prevented, signal }));
      await settle();
      happen(rig);
      await settle();
      controller.abort(REASON);
      await settle();
      assertEquals(rig.calls, [["write", "a"]]);
      assertEquals(outcome.state, "pending");
      rig.writes[0].resolve();
      await settle();
      const expected = reason ? { state: "rejected", reason } : { state: "fulfilled" };
      assertEquals(outcome as unknown, expected);
      assertEquals(rig.calls, [["write", "a"], ...calls]);
    },
  );
}

for (
  const [what, happen] of FIRST.filter(([, , prevented]) => Object.keys(prevented).length === 0)
) {
  const who = what.replace("has", "is").replace("errored", "to error").replace(
    "closed",
    "to close",
  );
  rule(
    `an abort goes before what comes later in the same turn: ${who} (shutdown, 1)`,
    { brokenOn: who === "the sink is to error" ? ABORTS_LATE : [] },
    async (pipe) => {
      const rig = new Rig();
      const controller = new AbortController();
      const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
      await settle();
      controller.abort(REASON);
      try {
        happen(rig);
      } catch {
        // Cancelled already, where the abort acts at once.
      }
      await settle();
      assertEquals(outcome, byReason);
      assertEquals(rig.locked, [false, false]);
    },
  );
}

// Chromium and Node 24 and 26 lose it.
rule(
  "a chunk read before the abort is written still (shutdown with an action, 3.1)",
  { brokenOn: ["node24", "node26", "chromium"] },
  async (pipe) => {
    const rig = new Rig();
    const controller = new AbortController();
    const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
    await settle();
    rig.input.enqueue("a");
    controller.abort(REASON);
    await settle();
    assertEquals(outcome, byReason);
    assertEquals(rig.calls, [["write", "a"], ...BOTH]);
  },
);

async function microtasks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed++) await undefined;
}

rule("an abort and a failing write, any number of microtasks apart (shutdown, 1)", async (pipe) => {
  const play = async (gap: number, [mark, erroring, abortFirst]: typeof CASES[number]) => {
    const rig = new Rig({ chunks: ["a", "b"], mark, hold: true });
    const controller = new AbortController();
    const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
    await settle();
    if (erroring) rig.output.error(SINK);
    await settle();
    const steps = [() => controller.abort(REASON), () => rig.writes[0].reject(SINK)];
    if (!abortFirst) steps.reverse();
    steps[0]();
    await microtasks(gap);
    steps[1]();
    await settle();
    assertEquals(outcome.state, "rejected");
    assert([REASON, SINK].some((reason) => reason === outcome.reason));
    assertEquals(rig.locked, [false, false]);
  };
  await Promise.all(CASES.flatMap((cell) => [...Array(12).keys()].map((gap) => play(gap, cell))));
});

rule("a chunk that comes as the pipe aborts is written or left, and never lost (shutdown, 3.1)", {
  brokenOn: ["node24", "node26", "chromium"],
}, async (pipe) => {
  const play = async (gap: number) => {
    const rig = new Rig();
    const controller = new AbortController();
    const options = { preventAbort: true, preventCancel: true, signal: controller.signal };
    const outcome = follow(pipe(rig.source, rig.sink, options));
    await settle();
    controller.abort(REASON);
    await microtasks(gap);
    rig.input.enqueue("a");
    await settle();
    assertEquals(outcome, byReason);
    const written = rig.calls.map(([, chunk]) => chunk);
    assertEquals([...written, ...await rig.left()], ["a"], `after ${gap} microtasks`);
  };
  await Promise.all([...Array(16).keys()].map(play));
});

/** A signal that counts its listeners. */
function counted(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const add = signal.addEventListener;
  const remove = signal.removeEventListener;
  Object.assign(signal, {
    addEventListener(...args: Parameters<typeof add>) {
      listeners.add(args[1]);
      add.apply(signal, args);
    },
    removeEventListener(...args: Parameters<typeof remove>) {
      listeners.delete(args[1]);
      remove.apply(signal, args);
    },
  });
  return { controller, listeners: () => listeners.size };
}

const ENDS: [string, (rig: Rig, controller: AbortController) => void][] = [
  ["the source's end", (rig) => rig.input.close()],
  ["the source's error", (rig) => rig.input.error(SOURCE)],
  ["the sink's error", (rig) => rig.output.error(SINK)],
  ["the abort itself", (_, controller) => controller.abort(REASON)],
];

for (const [what, end] of ENDS) {
  test(`pipe: no listener is left on the signal after ${what} (finalize, 4)`, async () => {
    const { controller, listeners } = counted();
    const rig = new Rig();
    const done = pipe(rig.source, rig.sink, { signal: controller.signal }).catch(() => {});
    await macrotask();
    assertEquals(listeners(), 1);
    end(rig, controller);
    await done;
    assertEquals(listeners(), 0);
  });
}

test("pipe: no listener is put on a signal that has aborted (14.2)", async () => {
  const { controller, listeners } = counted();
  controller.abort(REASON);
  const rig = new Rig();
  const done = pipe(rig.source, rig.sink, { signal: controller.signal });
  assertEquals(listeners(), 0);
  assertStrictEquals(await rejection(done), REASON);
});

test("pipe: no listener is put on a signal when the arguments are wrong", async () => {
  const { controller, listeners } = counted();
  const rig = new Rig();
  rig.source.getReader();
  await rejection(pipe(rig.source, rig.sink, { signal: controller.signal }));
  assertEquals(listeners(), 0);
});
