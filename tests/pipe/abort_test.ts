/**
 * ReadableStreamPipeTo, step 14: the signal.
 *
 * @module
 */
import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { deferred, rejection } from "../support/async.ts";
import {
  type Call,
  follow,
  NODES,
  Rig,
  type RigOptions,
  rule,
  settle,
  stateOf,
} from "./helpers.ts";
import {
  ABORTS_LATE,
  CLOSED_UNCANCELLED,
  FAILS_RELEASED,
  IGNORES_ERRORING,
  READY_WITHOUT_ROOM,
  SIZED_WHEN_ERRORING,
} from "../support/deviations.ts";
import { runtime } from "../support/environment.ts";

const SOURCE = new Error("source");
const SINK = new Error("sink");
const REASON = new Error("reason");
const byReason = { state: "rejected", reason: REASON } as const;
const BOTH: Call[] = [["abort", REASON], ["cancel", REASON]];

/** Only a sink that has started is aborted at once: before `cancel()`. */
async function started(options?: RigOptions): Promise<Rig> {
  const rig = new Rig(options);
  await settle();
  return rig;
}

// Steps 14.1.3 and 14.1.4: which actions there are.
const PREVENTED: [StreamPipeOptions, Call[]][] = [
  [{}, BOTH],
  [{ preventClose: true }, BOTH],
  [{ preventAbort: true }, [["cancel", REASON]]],
  [{ preventCancel: true }, [["abort", REASON]]],
  [{ preventAbort: true, preventCancel: true }, []],
];

const MOMENTS: [string, RigOptions, boolean][] = [
  ["before it begins", { chunks: ["a"] }, true],
  ["while a read waits", {}, false],
  ["while the sink has no room", { mark: 0, chunks: ["a"] }, false],
];

for (const [moment, options, before] of MOMENTS) {
  for (const [prevented, calls] of PREVENTED) {
    const what = Object.keys(prevented).join(", ") || "nothing prevented";
    const brokenOn = before ? [] : ABORTS_LATE;
    const except = options.mark === 0 ? READY_WITHOUT_ROOM : [];
    rule(`aborted ${moment}: ${what} (14.1.3 to 14.1.5)`, { brokenOn, except }, async (pipe) => {
      const controller = new AbortController();
      const rig = await started(options);
      if (before) controller.abort(REASON);
      const outcome = follow(
        pipe(rig.source, rig.sink, { ...prevented, signal: controller.signal }),
      );
      await settle();
      if (!before) {
        assertEquals(outcome.state, "pending");
        controller.abort(REASON);
        await settle();
      }
      assertEquals(outcome, byReason);
      assertEquals(rig.calls, calls);
      assertEquals(rig.locked, [false, false]);
      assertEquals(rig.pulls, before || options.mark === 0 ? 0 : 1);
      if (prevented.preventAbort) {
        assertEquals((await stateOf(rig.sink)).state, "pending");
      } else {
        assertEquals(await stateOf(rig.sink), byReason);
      }
      if (prevented.preventCancel) {
        assertEquals(await rig.left(), options.chunks ?? []);
      } else {
        assertEquals((await stateOf(rig.source)).state, "fulfilled");
      }
    });
  }
}

const REASONS: [string, unknown][] = [
  ["null", null],
  ["false", false],
  ["0", 0],
  ["a string", "reason"],
  ["a symbol", Symbol("reason")],
  ["a function", () => {}],
  ["a thenable", { then: () => {} }],
  ["a promise", new Promise(() => {})],
];

for (const [what, reason] of REASONS) {
  rule(
    `${what} as the reason passes as it is (14.1.1)`,
    { brokenOn: ABORTS_LATE },
    async (pipe) => {
      for (const before of [true, false]) {
        const controller = new AbortController();
        const rig = await started();
        if (before) controller.abort(reason);
        const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
        await settle();
        controller.abort(reason);
        await settle();
        assertEquals(outcome.state, "rejected");
        assertStrictEquals(outcome.reason, reason);
        assertEquals(rig.calls.map(([name]) => name), ["abort", "cancel"]);
        for (const [, argument] of rig.calls) assertStrictEquals(argument, reason);
      }
    },
  );
}

rule("undefined as the reason is an AbortError, one and the same (14.1.1)", async (pipe) => {
  const rig = new Rig();
  const controller = new AbortController();
  controller.abort(undefined);
  const reason = await rejection(pipe(rig.source, rig.sink, { signal: controller.signal }));
  assertInstanceOf(reason, DOMException);
  assertEquals(reason.name, "AbortError");
  assertStrictEquals(reason, controller.signal.reason);
  for (const [, argument] of rig.calls) assertStrictEquals(argument, reason);
  assertEquals(rig.calls.length, 2);
});

rule(
  "a timeout signal's reason is its TimeoutError (14.1.1)",
  { brokenOn: ABORTS_LATE },
  async (pipe) => {
    const rig = new Rig();
    const signal = AbortSignal.timeout(1);
    const reason = await rejection(pipe(rig.source, rig.sink, { signal }));
    assertInstanceOf(reason, DOMException);
    assertEquals(reason.name, "TimeoutError");
  },
);

rule("a signal aborted before locks the streams all the same (14.2)", async (pipe) => {
  const held = deferred();
  const rig = new Rig({ onCancel: () => held.promise });
  const outcome = follow(pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) }));
  assertEquals(rig.locked, [true, true]);
  await settle();
  assertEquals(outcome.state, "pending");
  assertEquals(rig.locked, [true, true]);
  held.resolve();
  await settle();
  assertEquals(outcome, byReason);
  assertEquals(rig.locked, [false, false]);
});

// Step 14.2 comes before the conditions of step 15.
const STATES: [string, RigOptions, (rig: Rig) => void | Promise<void>, Call[]][] = [
  ["a closed source", {}, (rig) => rig.input.close(), [["abort", REASON]]],
  ["an errored source", {}, (rig) => rig.input.error(SOURCE), [["abort", REASON]]],
  ["an errored sink", {}, (rig) => rig.output.error(SINK), [["cancel", REASON]]],
  ["a closed sink", {}, (rig) => rig.sink.close(), [["close"], ["cancel", REASON]]],
];

for (const [state, options, reach, calls] of STATES) {
  rule(`a signal aborted before goes before ${state} (14.2)`, async (pipe) => {
    const rig = new Rig(options);
    await settle();
    await reach(rig);
    await settle();
    const outcome = follow(pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) }));
    await settle();
    assertEquals(outcome, byReason);
    assertEquals(rig.calls, calls);
    assertEquals(rig.locked, [false, false]);
  });
}

rule(
  "a signal aborted before aborts a sink of this turn that has been given its last (14.2)",
  async (pipe) => {
    const rig = new Rig();
    const writing = rig.sink.getWriter();
    const given = [rejection(writing.write("a")), rejection(writing.close())];
    writing.releaseLock();
    const outcome = follow(pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) }));
    await settle();
    assertEquals(outcome, byReason);
    // In which order is open: `pipeTo` cancels first here, and last where the sink has been given nothing.
    const calls = rig.calls.map(([what, reason]) => [what, reason] as const);
    assertEquals(new Map(calls), new Map([["abort", REASON], ["cancel", REASON]]));
    assertEquals(calls.length, 2);
    const [written, closed] = await Promise.all(given);
    if (!FAILS_RELEASED.includes(runtime)) assertEquals(written, REASON);
    assertEquals(closed, REASON);
  },
);

rule("an erroring sink is not aborted (14.1.3.2)", {
  brokenOn: IGNORES_ERRORING,
  except: SIZED_WHEN_ERRORING,
}, async (pipe) => {
  const rig = new Rig({ chunks: ["a"], hold: true });
  const controller = new AbortController();
  const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
  await settle();
  rig.output.error(SINK);
  await settle();
  controller.abort(REASON);
  await settle();
  // Not "writable", so its write is not waited for either (shutdown with an action, 3).
  assertEquals(outcome, byReason);
  assertEquals(rig.calls, [["write", "a"], ["cancel", REASON]]);
  rig.writes[0].resolve();
  await settle();
  assertEquals(await stateOf(rig.sink), { state: "rejected", reason: SINK });
});

rule("a closing sink is aborted, its close waited for (14.1.3.1)", async (pipe) => {
  const closed = deferred();
  const rig = new Rig({ onClose: () => closed.promise });
  const closing = rig.sink.close();
  await settle();
  const outcome = follow(pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) }));
  await settle();
  assertEquals(outcome.state, "pending");
  assertEquals(rig.calls, [["close"], ["cancel", REASON]]);
  closed.resolve();
  await closing;
  await settle();
  assertEquals(outcome, byReason);
  assertEquals(rig.calls, [["close"], ["cancel", REASON]]);
});

// Node 20 and 22 wait for the first of them alone.
rule(
  "writes under way are waited for, then both are ended (shutdown with an action, 3.2)",
  { brokenOn: ["node20", "node22"] },
  async (pipe) => {
    const rig = new Rig({ chunks: ["a", "b", "c"], mark: 2, hold: true });
    const controller = new AbortController();
    const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
    await settle();
    controller.abort(REASON);
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome.state, "pending");
    rig.writes[0].resolve();
    await settle();
    assertEquals(rig.calls, [["write", "a"], ["write", "b"]]);
    assertEquals(outcome.state, "pending");
    assertEquals(rig.locked, [true, true]);
    rig.writes[1].resolve();
    await settle();
    assertEquals(rig.calls, [["write", "a"], ["write", "b"], ...BOTH]);
    assertEquals(outcome, byReason);
  },
);

// As above.
rule(
  "writes under way are waited for, both prevented (shutdown with an action, 3.2)",
  { brokenOn: ["node20", "node22"] },
  async (pipe) => {
    const rig = new Rig({ chunks: ["a", "b", "c"], mark: 2, hold: true });
    const controller = new AbortController();
    const options = { signal: controller.signal, preventAbort: true, preventCancel: true };
    const outcome = follow(pipe(rig.source, rig.sink, options));
    await settle();
    controller.abort(REASON);
    rig.writes[0].resolve();
    await settle();
    assertEquals(rig.calls, [["write", "a"], ["write", "b"]]);
    assertEquals(outcome.state, "pending");
    rig.writes[1].resolve();
    await settle();
    assertEquals(outcome, byReason);
    assertEquals(rig.calls, [["write", "a"], ["write", "b"]]);
    assertEquals(await rig.left(), ["c"]);
  },
);

rule(
  "a sink that never settles its write is never aborted (shutdown with an action, 3.2)",
  async (pipe) => {
    const rig = new Rig({ chunks: ["a"], hold: true });
    const controller = new AbortController();
    const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
    await settle();
    controller.abort(REASON);
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome.state, "pending");
    rig.writes[0].resolve();
    await settle();
    assertEquals(outcome, byReason);
  },
);

rule("a write that fails after the abort: the reason, and a sink not aborted (14.1.3.2)", {
  // Node lets an error of the sink that comes during the shutdown replace the outcome.
  brokenOn: NODES,
}, async (pipe) => {
  const rig = new Rig({ chunks: ["a"], hold: true });
  const controller = new AbortController();
  const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
  await settle();
  controller.abort(REASON);
  await settle();
  rig.writes[0].reject(SINK);
  await settle();
  assertEquals(outcome, byReason);
  assertEquals(rig.calls, [["write", "a"], ["cancel", REASON]]);
});

rule(
  "a source that ends after the abort, with a write under way: not cancelled (14.1.4.2)",
  async (pipe) => {
    for (const end of ["close", "error"] as const) {
      const rig = new Rig({ chunks: ["a"], hold: true });
      const controller = new AbortController();
      const outcome = follow(pipe(rig.source, rig.sink, { signal: controller.signal }));
      await settle();
      controller.abort(REASON);
      await settle();
      if (end === "close") rig.input.close();
      else rig.input.error(SOURCE);
      rig.writes[0].resolve();
      await settle();
      assertEquals(outcome, byReason);
      assertEquals(rig.calls, [["write", "a"], ["abort", REASON]]);
    }
  },
);

rule("abort() is called before cancel() (14.1.3, 14.1.4)", async (pipe) => {
  const rig = await started();
  await rejection(pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) }));
  assertEquals(rig.calls, BOTH);
});

rule("abort() and cancel() are both waited for (14.1.5)", async (pipe) => {
  const [abort, cancel] = [deferred(), deferred()];
  const rig = await started({ onAbort: () => abort.promise, onCancel: () => cancel.promise });
  const outcome = follow(pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) }));
  await settle();
  assertEquals(rig.calls, BOTH);
  cancel.resolve();
  await settle();
  assertEquals(outcome.state, "pending");
  abort.resolve();
  await settle();
  assertEquals(outcome, byReason);
});

rule("abort() that rejects gives its reason (14.1.5)", async (pipe) => {
  const rig = await started({ onAbort: () => Promise.reject(SINK) });
  const done = pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) });
  assertStrictEquals(await rejection(done), SINK);
  assertEquals(rig.calls, BOTH);
  assertEquals(rig.locked, [false, false]);
});

rule("cancel() that rejects gives its reason (14.1.5)", async (pipe) => {
  const rig = await started({ onCancel: () => Promise.reject(SOURCE) });
  const done = pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) });
  assertStrictEquals(await rejection(done), SOURCE);
  assertEquals(rig.calls, BOTH);
  assertEquals(rig.locked, [false, false]);
});

rule("abort() and cancel() that both reject: the first to (14.1.5)", async (pipe) => {
  const [abort, cancel] = [deferred(), deferred()];
  const rig = new Rig({ onAbort: () => abort.promise, onCancel: () => cancel.promise });
  const outcome = follow(pipe(rig.source, rig.sink, { signal: AbortSignal.abort(REASON) }));
  await settle();
  cancel.reject(SOURCE);
  await settle();
  assertEquals(outcome, { state: "rejected", reason: SOURCE });
  abort.reject(SINK);
  await settle();
  assertEquals(outcome, { state: "rejected", reason: SOURCE });
});

rule("a signal that aborts in a write ends it after that write (14.3)", {
  except: CLOSED_UNCANCELLED,
}, async (pipe) => {
  const controller = new AbortController();
  const written: unknown[] = [];
  const rig = new Rig({ chunks: ["a", "b"], closed: true });
  const sink = new WritableStream({
    write(chunk) {
      written.push(chunk);
      controller.abort(REASON);
    },
    abort: (reason) => void written.push(reason),
  });
  assertStrictEquals(
    await rejection(pipe(rig.source, sink, { signal: controller.signal })),
    REASON,
  );
  assertEquals(written, ["a", REASON]);
  assertEquals(rig.calls, [["cancel", REASON]]);
});

rule("a signal that aborts in a pull ends it (14.3)", { brokenOn: ABORTS_LATE }, async (pipe) => {
  const controller = new AbortController();
  const rig = new Rig();
  const source = new ReadableStream({
    pull: () => controller.abort(REASON),
  }, { highWaterMark: 0 });
  const done = pipe(source, rig.sink, { signal: controller.signal });
  assertStrictEquals(await rejection(done), REASON);
  assertEquals(rig.calls, [["abort", REASON]]);
});

rule("an abort after it is all over changes nothing (finalize, 4)", async (pipe) => {
  const rig = new Rig({ chunks: ["a"], closed: true });
  const controller = new AbortController();
  await pipe(rig.source, rig.sink, { signal: controller.signal, preventClose: true });
  controller.abort(REASON);
  await settle();
  assertEquals(rig.calls, [["write", "a"]]);
  assertEquals((await stateOf(rig.sink)).state, "pending");
});

rule("one signal ends several pipes (14.3)", { brokenOn: ABORTS_LATE }, async (pipe) => {
  const controller = new AbortController();
  const rigs = Array.from({ length: 20 }, () => new Rig());
  const outcomes = rigs.map(({ source, sink }) =>
    follow(pipe(source, sink, { signal: controller.signal }))
  );
  await settle();
  controller.abort(REASON);
  await settle();
  for (const outcome of outcomes) assertEquals(outcome, byReason);
  for (const { calls } of rigs) assertEquals(calls, BOTH);
});
