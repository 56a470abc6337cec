/**
 * ReadableStreamPipeTo, steps 14 and 15, with streams whose state lasts no longer than the turn in which
 * `pipe` is called, and signals that abort in it.
 *
 * @module
 */
import { pipe } from "@webstreams/join";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, rejection } from "../support/async.ts";
import {
  type Call,
  follow,
  Rig,
  type RigOptions,
  rule,
  settle,
  type Settlement,
} from "./helpers.ts";
import { ABORTS_LATE, PIPES_CHUNK_BY_CHUNK } from "../support/deviations.ts";

const SOURCE = new Error("source");
const SINK = new Error("sink");
const REASON = new Error("reason");
const fulfilled: Settlement = { state: "fulfilled" };
const rejected = (reason: unknown): Settlement => ({ state: "rejected", reason });

const ENDS: [string, (rig: Rig) => void, Settlement, Call[]][] = [
  ["the source has closed", (rig) => rig.input.close(), fulfilled, [["close"]]],
  ["the source has errored", (rig) => rig.input.error(SOURCE), rejected(SOURCE), [[
    "abort",
    SOURCE,
  ]]],
  [
    "both have ended, the source in peace",
    (rig) => {
      rig.input.close();
      rig.output.error(SINK);
    },
    rejected(SINK),
    [],
  ],
];

for (const [what, end, expected, calls] of ENDS) {
  for (const gap of [1, 2, 3]) {
    rule(
      `an abort in the turn of the call, ${gap} microtasks after ${what}, changes nothing (shutdown, 1)`,
      async (pipe) => {
        const rig = new Rig();
        await settle();
        const controller = new AbortController();
        const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
        end(rig);
        for (let passed = 0; passed < gap; passed++) await undefined;
        controller.abort(REASON);
        await settle();
        assertEquals(outcome, expected);
        assertEquals(rig.calls, calls);
        assertEquals(rig.locked, [false, false]);
      },
    );
  }
}

/** A sink made in the turn of the call, and what an errored source leaves of it. */
const SINKS: [string, RigOptions, (rig: Rig) => unknown, Settlement, Call[]][] = [
  ["writable", {}, () => {}, rejected(SOURCE), [["abort", SOURCE]]],
  ["erroring", {}, (rig) => rig.output.error(SINK), rejected(SINK), []],
  ["closing", {}, (rig) => rig.sink.close(), rejected(SOURCE), [["abort", SOURCE]]],
  [
    "closing, its abort failing",
    { onAbort: () => Promise.reject(SINK) },
    (rig) => {
      return rig.sink.close();
    },
    rejected(SINK),
    [["abort", SOURCE]],
  ],
];

for (const [state, options, prepare, expected, calls] of SINKS) {
  for (const preventCancel of [false, true]) {
    const named = `${state}${preventCancel ? "; preventCancel" : ""}`;
    rule(
      `an errored source and a sink of this turn, ${named} (errors propagated forward)`,
      { except: PIPES_CHUNK_BY_CHUNK },
      async (pipe) => {
        const rig = new Rig(options);
        rig.input.error(SOURCE);
        const before = prepare(rig);
        if (before instanceof Promise) before.catch(() => {});
        const outcome = follow(pipe(rig.source, rig.sink, { preventCancel }));
        assertEquals(rig.locked, [true, true]);
        await settle();
        assertEquals(outcome, expected);
        assertEquals(rig.calls, calls);
        assertEquals(rig.locked, [false, false]);
        assertStrictEquals(await rejection(rig.source.getReader().closed), SOURCE);
      },
    );
  }
}

rule(
  "an errored source, a closing sink, preventAbort: that closes (errors forward)",
  async (pipe) => {
    const rig = new Rig();
    rig.input.error(SOURCE);
    const closed = rig.sink.close();
    const outcome = follow(pipe(rig.source, rig.sink, { preventAbort: true }));
    await settle();
    assertEquals(outcome, rejected(SOURCE));
    assertEquals(rig.calls, [["close"]]);
    await closed;
  },
);

for (const reason of [undefined, null, "text", new DOMException("Given up", "AbortError")]) {
  rule(`the error of an errored source is passed on: ${reason} (errors forward)`, async (pipe) => {
    const rig = new Rig();
    rig.input.error(reason);
    const outcome = follow(pipe(rig.source, rig.sink));
    await settle();
    assertEquals(outcome, rejected(reason));
    assertEquals(rig.calls, [["abort", reason]]);
    assertEquals(rig.locked, [false, false]);
  });
}

rule("an errored source and a signal that has aborted: the signal (14.2)", async (pipe) => {
  const rig = new Rig();
  rig.input.error(SOURCE);
  const outcome = follow(pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) }));
  await settle();
  assertEquals(outcome, rejected(REASON));
  assertEquals(rig.calls, [["abort", REASON]]);
  assertEquals(rig.locked, [false, false]);
});

test("pipe: an errored source stays locked until the sink has aborted", async () => {
  const aborted = deferred();
  const rig = new Rig({ onAbort: () => aborted.promise });
  rig.input.error(SOURCE);
  const outcome = follow(pipe(rig.source, rig.sink));
  await settle();
  assertEquals(outcome.state, "pending");
  assertEquals(rig.locked, [true, true]);
  aborted.resolve();
  await settle();
  assertEquals(outcome, rejected(SOURCE));
  assertEquals(rig.locked, [false, false]);
});

test("pipe: one errored source after another", async () => {
  for (let round = 0; round < 3; round++) {
    const good = new Rig({ chunks: ["a"], closed: true });
    await pipe(good.source, good.sink);
    assertEquals(good.calls, [["write", "a"], ["close"]]);
    const bad = new Rig();
    bad.input.error(SOURCE);
    assertStrictEquals(await rejection(pipe(bad.source, bad.sink)), SOURCE);
    assertEquals(bad.locked, [false, false]);
  }
});

const late = { brokenOn: ABORTS_LATE };

rule("a source that fails in the turn of the abort is cancelled (14.3)", late, async (pipe) => {
  const pulled = deferred();
  const cancelled: unknown[] = [];
  const source = new ReadableStream({
    pull: async () => await Promise.race([pulled.promise]),
    cancel: (reason) => void cancelled.push(reason),
  });
  const controller = new AbortController();
  const outcome = follow(pipe(source, new WritableStream(), { signal: controller.signal }));
  await settle();
  controller.abort(REASON);
  pulled.reject(SOURCE);
  await settle();
  assertEquals(outcome, rejected(REASON));
  assertEquals(cancelled, [REASON]);
});
