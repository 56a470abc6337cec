/**
 * ReadableStreamPipeTo, step 15, "Error and close states must be propagated", when a stream's state
 * changes while it pipes; the actions of the shutdown; any value as the error.
 *
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { follow, Rig, type RigOptions, rule, settle, stateOf } from "./helpers.ts";
import { deferred, macrotask } from "../support/async.ts";
import { READY_WITHOUT_ROOM } from "../support/deviations.ts";

const SOURCE = new Error("source");
const SINK = new Error("sink");
const ACTION = new Error("action");

// What the pipe is doing when it happens.
const MOMENTS: [string, RigOptions][] = [
  ["a read waits", {}],
  ["the sink has no room", { mark: 0 }],
  ["the sink has no room, but there are chunks", { mark: 0, chunks: ["left"] }],
];

for (const [moment, options] of MOMENTS) {
  const whole = { preventAbort: true, preventCancel: true, preventClose: true };

  const except = options.mark === 0 ? READY_WITHOUT_ROOM : [];

  rule(
    `while ${moment}: a source's error aborts the sink (errors forward)`,
    { except },
    async (pipe) => {
      const rig = new Rig(options);
      const outcome = follow(pipe(rig.source, rig.sink));
      await settle();
      rig.input.error(SOURCE);
      await settle();
      assertEquals(outcome, { state: "rejected", reason: SOURCE });
      assertEquals(rig.calls, [["abort", SOURCE]]);
      assertEquals(rig.locked, [false, false]);
    },
  );

  rule(
    `while ${moment}: a source's error, preventAbort (errors forward)`,
    { except },
    async (pipe) => {
      const rig = new Rig(options);
      const outcome = follow(pipe(rig.source, rig.sink, whole));
      await settle();
      rig.input.error(SOURCE);
      await settle();
      assertEquals(outcome, { state: "rejected", reason: SOURCE });
      assertEquals(rig.calls, []);
      assertEquals((await stateOf(rig.sink)).state, "pending");
    },
  );

  rule(
    `while ${moment}: a sink's error cancels the source (errors backward)`,
    { except },
    async (pipe) => {
      const rig = new Rig(options);
      const outcome = follow(pipe(rig.source, rig.sink));
      await settle();
      rig.output.error(SINK);
      await settle();
      assertEquals(outcome, { state: "rejected", reason: SINK });
      assertEquals(rig.calls, [["cancel", SINK]]);
      assertEquals(rig.locked, [false, false]);
    },
  );

  rule(
    `while ${moment}: a sink's error, preventCancel (errors backward)`,
    { except },
    async (pipe) => {
      const rig = new Rig(options);
      const outcome = follow(pipe(rig.source, rig.sink, whole));
      await settle();
      rig.output.error(SINK);
      await settle();
      assertEquals(outcome, { state: "rejected", reason: SINK });
      assertEquals(rig.calls, []);
      assertEquals(rig.locked, [false, false]);
      rig.input.enqueue("later");
      assertEquals(await rig.left(), [...options.chunks ?? [], "later"]);
    },
  );

  rule(
    `while ${moment}: a source's end closes the sink (closing forward)`,
    { except },
    async (pipe) => {
      const rig = new Rig({ ...options, chunks: [] });
      const outcome = follow(pipe(rig.source, rig.sink));
      await settle();
      rig.input.close();
      await settle();
      assertEquals(outcome, { state: "fulfilled" });
      assertEquals(rig.calls, [["close"]]);
      assertEquals(rig.locked, [false, false]);
    },
  );

  rule(
    `while ${moment}: a source's end, preventClose (closing forward)`,
    { except },
    async (pipe) => {
      const rig = new Rig({ ...options, chunks: [] });
      const outcome = follow(pipe(rig.source, rig.sink, whole));
      await settle();
      rig.input.close();
      await settle();
      assertEquals(outcome, { state: "fulfilled" });
      assertEquals(rig.calls, []);
      assertEquals((await stateOf(rig.sink)).state, "pending");
    },
  );
}

// Finalize: "Upon rejection of p with reason newError, finalize with newError."
const ACTIONS: [string, RigOptions, (rig: Rig) => void, unknown[]][] = [
  ["abort()", { onAbort: () => Promise.reject(ACTION) }, (rig) => rig.input.error(SOURCE), [
    ["abort", SOURCE],
  ]],
  ["cancel()", { onCancel: () => Promise.reject(ACTION) }, (rig) => rig.output.error(SINK), [
    ["cancel", SINK],
  ]],
  ["close()", { onClose: () => Promise.reject(ACTION) }, (rig) => rig.input.close(), [["close"]]],
];

for (const [action, options, begin, calls] of ACTIONS) {
  rule(`${action} that rejects gives its reason (shutdown with an action, 6)`, async (pipe) => {
    const rig = new Rig(options);
    const outcome = follow(pipe(rig.source, rig.sink));
    await settle();
    begin(rig);
    await settle();
    assertEquals(outcome, { state: "rejected", reason: ACTION });
    assertEquals(rig.calls as unknown[], calls);
    assertEquals(rig.locked, [false, false]);
  });

  rule(
    `${action} that rejects with undefined gives undefined (shutdown with an action, 6)`,
    async (pipe) => {
      const fails = () => Promise.reject(undefined);
      const rig = new Rig({ onAbort: fails, onCancel: fails, onClose: fails });
      const outcome = follow(pipe(rig.source, rig.sink));
      await settle();
      begin(rig);
      await settle();
      assertEquals(outcome, { state: "rejected", reason: undefined });
    },
  );

  rule(`${action} that throws gives what it throws (shutdown with an action, 6)`, async (pipe) => {
    const fails = () => {
      throw ACTION;
    };
    const rig = new Rig({ onAbort: fails, onCancel: fails, onClose: fails });
    const outcome = follow(pipe(rig.source, rig.sink));
    await settle();
    begin(rig);
    await settle();
    assertEquals(outcome, { state: "rejected", reason: ACTION });
  });

  rule(
    `${action} is waited for, and both stay locked (shutdown with an action, 5)`,
    async (pipe) => {
      const held = deferred();
      const waits = () => held.promise;
      const rig = new Rig({ onAbort: waits, onCancel: waits, onClose: waits });
      const outcome = follow(pipe(rig.source, rig.sink));
      await settle();
      begin(rig);
      await settle();
      assertEquals(rig.calls as unknown[], calls);
      assertEquals(outcome.state, "pending");
      assertEquals(rig.locked, [true, true]);
      held.resolve();
      await settle();
      assertEquals(outcome.state === "pending", false);
      assertEquals(rig.locked, [false, false]);
    },
  );
}

for (const [action, , begin] of ACTIONS) {
  rule(
    `both are unlocked when the promise settles after ${action} (finalize, 1 to 3)`,
    async (pipe) => {
      const rig = new Rig();
      const seen: boolean[][] = [];
      const done = pipe(rig.source, rig.sink).finally(() => void seen.push(rig.locked)).catch(
        () => {},
      );
      await macrotask();
      begin(rig);
      await done;
      assertEquals(seen, [[false, false]]);
    },
  );
}

const REASONS: [string, unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["false", false],
  ["a string", "reason"],
  ["a symbol", Symbol("reason")],
  ["a thenable", { then: () => {} }],
  ["a promise", new Promise(() => {})],
];

for (const [what, reason] of REASONS) {
  rule(`${what} is an error like any other: the source's (errors forward)`, async (pipe) => {
    for (const preventAbort of [false, true]) {
      const rig = new Rig();
      const outcome = follow(pipe(rig.source, rig.sink, { preventAbort }));
      await settle();
      rig.input.error(reason);
      await settle();
      assertEquals(outcome.state, "rejected");
      assertStrictEquals(outcome.reason, reason);
      assertEquals(rig.calls.length, preventAbort ? 0 : 1);
      if (!preventAbort) assertStrictEquals(rig.calls[0][1], reason);
    }
  });

  rule(`${what} is an error like any other: a write's (errors backward)`, async (pipe) => {
    for (const preventCancel of [false, true]) {
      const rig = new Rig({ chunks: ["a"], hold: true });
      const outcome = follow(pipe(rig.source, rig.sink, { preventCancel }));
      await settle();
      rig.writes[0].reject(reason);
      await settle();
      assertEquals(outcome.state, "rejected");
      assertStrictEquals(outcome.reason, reason);
      assertEquals(rig.calls.length, preventCancel ? 1 : 2);
      if (!preventCancel) assertStrictEquals(rig.calls[1][1], reason);
    }
  });

  rule(`${what} is an error like any other: close()'s (closing forward)`, async (pipe) => {
    const rig = new Rig({ closed: true, onClose: () => Promise.reject(reason) });
    const outcome = follow(pipe(rig.source, rig.sink));
    await settle();
    assertEquals(outcome.state, "rejected");
    assertStrictEquals(outcome.reason, reason);
  });
}
