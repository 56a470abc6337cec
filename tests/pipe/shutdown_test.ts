/**
 * ReadableStreamPipeTo, step 15: how "Shutdown with an action", "Shutdown" and "Finalize" go about it.
 *
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { deferred, rejection } from "../support/async.ts";
import {
  follow,
  NODES,
  type Pipe,
  Rig,
  type RigOptions,
  rule,
  settle,
  stateOf,
} from "./helpers.ts";
import { IGNORES_ERRORING } from "../support/deviations.ts";

const SOURCE = new Error("source");
const SINK = new Error("sink");
const ACTION = new Error("action");

/** A pipe that has read `a` and `b` into a sink whose first write hangs. */
async function writing(pipe: Pipe, options?: StreamPipeOptions, more?: RigOptions) {
  const rig = new Rig({ chunks: ["a", "b"], mark: 2, hold: true, ...more });
  const outcome = follow(pipe(rig.source, rig.sink, options));
  await settle();
  assertEquals(rig.calls, [["write", "a"]]);
  return { rig, outcome };
}

const WRITTEN = [["write", "a"], ["write", "b"]] as const;

rule(
  "the end waits for every write to close the sink (shutdown with an action, 3.2)",
  async (pipe) => {
    const { rig, outcome } = await writing(pipe);
    rig.input.close();
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    rig.writes[0].resolve();
    await settle();
    assertEquals(rig.calls, [...WRITTEN]);
    assertEquals(outcome.state, "pending");
    rig.writes[1].resolve();
    await settle();
    assertEquals(rig.calls, [...WRITTEN, ["close"]]);
    assertEquals(outcome.state, "fulfilled");
  },
);

rule("the end waits for every write to settle, preventClose (shutdown, 3.2)", async (pipe) => {
  const { rig, outcome } = await writing(pipe, { preventClose: true });
  rig.input.close();
  rig.writes[0].resolve();
  await settle();
  assertEquals(rig.calls, [...WRITTEN]);
  assertEquals(outcome.state, "pending");
  assertEquals(rig.locked, [true, true]);
  rig.writes[1].resolve();
  await settle();
  assertEquals(rig.calls, [...WRITTEN]);
  assertEquals(outcome.state, "fulfilled");
});

rule(
  "a source's error waits for every write to abort (shutdown with an action, 3.2)",
  async (pipe) => {
    const { rig, outcome } = await writing(pipe);
    rig.input.error(SOURCE);
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    rig.writes[0].resolve();
    await settle();
    assertEquals(rig.calls, [...WRITTEN]);
    assertEquals(outcome.state, "pending");
    rig.writes[1].resolve();
    await settle();
    assertEquals(rig.calls, [...WRITTEN, ["abort", SOURCE]]);
    assertEquals(outcome, { state: "rejected", reason: SOURCE });
  },
);

rule(
  "a source's error waits for every write to settle, preventAbort (shutdown, 3.2)",
  async (pipe) => {
    const { rig, outcome } = await writing(pipe, { preventAbort: true });
    rig.input.error(SOURCE);
    rig.writes[0].resolve();
    await settle();
    assertEquals(outcome.state, "pending");
    rig.writes[1].resolve();
    await settle();
    assertEquals(rig.calls, [...WRITTEN]);
    assertEquals(outcome, { state: "rejected", reason: SOURCE });
  },
);

rule(
  "a sink's error comes once the write under way has settled (errors backward)",
  { brokenOn: IGNORES_ERRORING },
  async (pipe) => {
    const { rig, outcome } = await writing(pipe);
    rig.output.error(SINK);
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome.state, "pending");
    rig.writes[0].resolve();
    await settle();
    assertEquals(rig.calls, [["write", "a"], ["cancel", SINK]]);
    assertEquals(outcome, { state: "rejected", reason: SINK });
  },
);

rule(
  "a sink's first error stands: its write's rejection comes later (errors backward)",
  async (pipe) => {
    const { rig, outcome } = await writing(pipe);
    rig.output.error(SINK);
    rig.writes[0].reject(new Error("write"));
    await settle();
    assertEquals(rig.calls, [["write", "a"], ["cancel", SINK]]);
    assertEquals(outcome, { state: "rejected", reason: SINK });
  },
);

rule("a rejected write errors the sink, and cancels (errors backward)", async (pipe) => {
  const { rig, outcome } = await writing(pipe);
  rig.writes[0].reject(SINK);
  await settle();
  assertEquals(rig.calls, [["write", "a"], ["cancel", SINK]]);
  assertEquals(outcome, { state: "rejected", reason: SINK });
  assertEquals(await stateOf(rig.sink), { state: "rejected", reason: SINK });
});

rule("a write that throws errors the sink, and cancels (errors backward)", async (pipe) => {
  const calls: unknown[] = [];
  const source = new ReadableStream({
    pull: (controller) => controller.enqueue("a"),
    cancel: (reason) => void calls.push(reason),
  });
  const sink = new WritableStream({
    write() {
      throw SINK;
    },
  });
  assertStrictEquals(await rejection(pipe(source, sink)), SINK);
  assertEquals(calls, [SINK]);
});

rule(
  "a rejected write, preventCancel: the source stays as it is (errors backward)",
  async (pipe) => {
    const { rig, outcome } = await writing(pipe, { preventCancel: true }, {
      chunks: ["a", "b", "c"],
    });
    rig.writes[0].reject(SINK);
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome, { state: "rejected", reason: SINK });
    assertEquals(await rig.left(), ["c"]);
  },
);

rule("a pull that rejects is a source's error (errors forward)", async (pipe) => {
  const rig = new Rig();
  const source = new ReadableStream({ pull: () => Promise.reject(SOURCE) });
  assertStrictEquals(await rejection(pipe(source, rig.sink)), SOURCE);
  assertEquals(rig.calls, [["abort", SOURCE]]);
});

// Node lets an error of the sink that comes during the shutdown replace the outcome.
rule(
  "a source's error, then a failing write: the source's (shutdown, 1)",
  { brokenOn: NODES },
  async (pipe) => {
    const { rig, outcome } = await writing(pipe);
    rig.input.error(SOURCE);
    await settle();
    rig.writes[0].reject(SINK);
    await settle();
    // WritableStreamAbort of an errored stream does nothing.
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome, { state: "rejected", reason: SOURCE });
  },
);

rule(
  "the source's end, then a failing write: the sink's error (CloseWithErrorPropagation, 5)",
  async (pipe) => {
    const { rig, outcome } = await writing(pipe);
    rig.input.close();
    await settle();
    rig.writes[0].reject(SINK);
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome, { state: "rejected", reason: SINK });
  },
);

// As above.
rule(
  "the source's end, then a failing write, preventClose: success all the same (shutdown, 4)",
  { brokenOn: NODES },
  async (pipe) => {
    const { rig, outcome } = await writing(pipe, { preventClose: true });
    rig.input.close();
    await settle();
    rig.writes[0].reject(SINK);
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome, { state: "fulfilled" });
  },
);

rule("a failing write, then a source's error: the sink's (shutdown, 1)", async (pipe) => {
  const cancelled = deferred();
  const { rig, outcome } = await writing(pipe, {}, { onCancel: () => cancelled.promise });
  rig.writes[0].reject(SINK);
  await settle();
  assertEquals(rig.calls, [["write", "a"], ["cancel", SINK]]);
  cancelled.reject(ACTION);
  await settle();
  assertEquals(outcome, { state: "rejected", reason: ACTION });
});

rule(
  "an erroring sink, then a source's error: aborted with, rejects by the sink's",
  { brokenOn: IGNORES_ERRORING },
  async (pipe) => {
    const { rig, outcome } = await writing(pipe);
    rig.output.error(SINK);
    await settle();
    rig.input.error(SOURCE);
    await settle();
    assertEquals(outcome.state, "pending");
    rig.writes[0].resolve();
    await settle();
    // Errors forward comes first; WritableStreamFinishErroring rejects that abort with the sink's error.
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome, { state: "rejected", reason: SINK });
  },
);

rule(
  "an erroring sink, then a source's error, preventAbort: the source's, at once",
  { brokenOn: IGNORES_ERRORING },
  async (pipe) => {
    const { rig, outcome } = await writing(pipe, { preventAbort: true });
    rig.output.error(SINK);
    await settle();
    rig.input.error(SOURCE);
    await settle();
    assertEquals(outcome, { state: "rejected", reason: SOURCE });
    assertEquals(rig.locked, [false, false]);
    rig.writes[0].resolve();
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
  },
);

rule(
  "an erroring sink, then the source's end: the sink's error (CloseWithErrorPropagation, 7)",
  { brokenOn: IGNORES_ERRORING },
  async (pipe) => {
    const { rig, outcome } = await writing(pipe);
    rig.output.error(SINK);
    await settle();
    rig.input.close();
    rig.writes[0].resolve();
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome, { state: "rejected", reason: SINK });
  },
);

rule(
  "the source's end, then the sink's error while writes are waited for: the sink's",
  async (pipe) => {
    const { rig, outcome } = await writing(pipe);
    rig.input.close();
    await settle();
    rig.output.error(SINK);
    await settle();
    rig.writes[0].resolve();
    await settle();
    assertEquals(rig.calls, [["write", "a"]]);
    assertEquals(outcome, { state: "rejected", reason: SINK });
  },
);

/** A pipe whose source has closed with the chunk `b`, which is being written. */
async function writingTheLast(pipe: Pipe, options?: StreamPipeOptions) {
  const rig = new Rig({ chunks: ["a", "b"], closed: true, hold: true });
  const outcome = follow(pipe(rig.source, rig.sink, options));
  await settle();
  rig.writes[0].resolve();
  await settle();
  assertEquals(rig.calls, [...WRITTEN]);
  return { rig, outcome };
}

// Chromium reads on to see the end.
rule(
  "the shutdown begins as the last chunk is read: an abort is too late (closing forward)",
  { brokenOn: ["chromium"] },
  async (pipe) => {
    const controller = new AbortController();
    const { rig, outcome } = await writingTheLast(pipe, { signal: controller.signal });
    controller.abort(ACTION);
    await settle();
    assertEquals(outcome.state, "pending");
    rig.writes[1].resolve();
    await settle();
    assertEquals(rig.calls, [...WRITTEN, ["close"]]);
    assertEquals(outcome, { state: "fulfilled" });
  },
);

// Node lets an error of the sink that comes during the shutdown replace the outcome.
rule(
  "the shutdown begins as the last chunk is read: so it is for a sink's error (closing forward)",
  { brokenOn: [...NODES, "chromium"] },
  async (pipe) => {
    const { rig, outcome } = await writingTheLast(pipe, { preventClose: true });
    rig.output.error(SINK);
    rig.writes[1].resolve();
    await settle();
    assertEquals(rig.calls, [...WRITTEN]);
    assertEquals(outcome, { state: "fulfilled" });
  },
);

rule(
  "a write of the last chunk that fails is the outcome all the same (CloseWithErrorPropagation, 5)",
  async (pipe) => {
    const { rig, outcome } = await writingTheLast(pipe);
    rig.writes[1].reject(SINK);
    await settle();
    assertEquals(rig.calls, [...WRITTEN]);
    assertEquals(outcome, { state: "rejected", reason: SINK });
  },
);

rule(
  "no chunk is read after the shutdown has begun (shutdown must stop activity)",
  async (pipe) => {
    const held = deferred();
    const rig = new Rig({ chunks: ["a"], onCancel: () => held.promise, hold: true });
    const outcome = follow(pipe(rig.source, rig.sink, { preventCancel: true }));
    await settle();
    rig.input.enqueue("b");
    rig.input.enqueue("c");
    rig.writes[0].reject(SINK);
    await settle();
    assertEquals(outcome.state, "rejected");
    assertEquals(await rig.left(), ["b", "c"]);
  },
);

rule("nothing is called any more once the promise has settled (finalize)", async (pipe) => {
  const rig = new Rig();
  const outcome = follow(pipe(rig.source, rig.sink, { preventCancel: true, preventAbort: true }));
  await settle();
  rig.output.error(SINK);
  await settle();
  assertEquals(outcome.state, "rejected");
  rig.input.enqueue("later");
  rig.input.error(SOURCE);
  await settle();
  assertEquals(rig.calls, []);
});
