/**
 * ReadableStreamPipeTo, step 15, "Error and close states must be propagated: the following conditions
 * must be applied in order", for every state that the two streams can be in at the start.
 *
 * A state that lasts no longer than the turn in which `pipe` is called is left out: code outside an
 * engine learns of a stream's state a microtask later.
 *
 * @module
 */
import { pipe } from "@webstreams/join";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { test } from "../harness.ts";
import { type Deferred, deferred, rejection } from "../support/async.ts";
import {
  type Call,
  follow,
  nativeRule,
  Rig,
  rule,
  settle,
  type Settlement,
  stateOf,
} from "./helpers.ts";
import { CLOSES_UNREADY, IGNORES_ERRORING, SIZED_WHEN_ERRORING } from "../support/deviations.ts";

const SOURCE = new Error("source");
const SINK = new Error("sink");

type SinkState = "writable" | "closing" | "close queued" | "closed" | "erroring" | "errored";
type SourceState = "readable" | "closed" | "errored";

/** A rig in these states. `release` lets the sink's write or close under way fulfil. */
async function rigIn(
  source: SourceState,
  sink: SinkState,
): Promise<{ rig: Rig; release: () => void }> {
  const held: Deferred = deferred();
  const hangs = sink === "close queued" || sink === "erroring";
  const rig = new Rig({
    hold: hangs,
    onClose: () => sink === "closing" ? held.promise : undefined,
  });
  if (sink === "closing" || sink === "closed" || sink === "close queued") {
    const writer = rig.sink.getWriter();
    if (sink === "close queued") writer.write("before").catch(() => {});
    writer.close().catch(() => {});
    // workerd forgets a write that has not begun.
    await settle();
    writer.releaseLock();
  }
  if (sink === "erroring") {
    const writer = rig.sink.getWriter();
    writer.write("before").catch(() => {});
    await settle();
    writer.releaseLock();
  }
  if (sink === "erroring" || sink === "errored") rig.output.error(SINK);
  if (source === "closed") rig.input.close();
  if (source === "errored") rig.input.error(SOURCE);
  await settle();
  rig.calls.length = 0;
  return { rig, release: () => hangs ? rig.writes[0].resolve() : held.resolve() };
}

/** What the standard demands. */
interface Demand {
  /** The outcome before the sink's write or close under way has settled. */
  before?: Settlement;
  /** The outcome in the end. */
  after: Settlement;
  /** All the calls in the end. */
  calls?: Call[];
}

const pending: Settlement = { state: "pending" };
const fulfilled: Settlement = { state: "fulfilled" };
const rejected = (reason: unknown): Settlement => ({ state: "rejected", reason });
const bySource = rejected(SOURCE);
const bySink = rejected(SINK);

type Table = [SourceState, SinkState, StreamPipeOptions, Demand][];

const TABLE: Table = [
  // Errors must be propagated forward: WritableStreamAbort, whatever the sink's state.
  ["errored", "writable", {}, { after: bySource, calls: [["abort", SOURCE]] }],
  ["errored", "writable", { preventAbort: true }, { after: bySource }],
  ["errored", "writable", { preventCancel: true }, { after: bySource, calls: [["abort", SOURCE]] }],
  ["errored", "writable", { preventClose: true }, { after: bySource, calls: [["abort", SOURCE]] }],
  // A close under way is waited for (WritableStreamStartErroring, WritableStreamFinishInFlightClose).
  ["errored", "closing", {}, { before: pending, after: bySource }],
  ["errored", "closing", { preventAbort: true }, { before: bySource, after: bySource }],
  // A close not yet begun is overtaken by the abort.
  ["errored", "close queued", {}, {
    before: pending,
    after: bySource,
    calls: [["abort", SOURCE]],
  }],
  ["errored", "close queued", { preventAbort: true }, {
    before: bySource,
    after: bySource,
    calls: [["close"]],
  }],
  ["errored", "closed", {}, { after: bySource }],
  ["errored", "closed", { preventAbort: true }, { after: bySource }],
  // Aborting an erroring stream rejects with its own error (WritableStreamFinishErroring).
  ["errored", "erroring", {}, { before: pending, after: bySink }],
  ["errored", "erroring", { preventAbort: true }, { before: bySource, after: bySource }],
  ["errored", "errored", {}, { after: bySource }],
  ["errored", "errored", { preventAbort: true }, { after: bySource }],
  // Errors must be propagated backward: once it is "errored", which "erroring" is not yet.
  ["readable", "erroring", {}, { before: pending, after: bySink, calls: [["cancel", SINK]] }],
  ["readable", "erroring", { preventCancel: true }, { before: pending, after: bySink }],
  ["readable", "errored", {}, { after: bySink, calls: [["cancel", SINK]] }],
  ["readable", "errored", { preventCancel: true }, { after: bySink }],
  ["readable", "errored", { preventAbort: true }, { after: bySink, calls: [["cancel", SINK]] }],
  ["closed", "errored", {}, { after: bySink }],
  ["closed", "errored", { preventClose: true }, { after: bySink }],
  ["closed", "errored", { preventCancel: true, preventClose: true }, { after: bySink }],
  // Closing must be propagated forward: WritableStreamDefaultWriterCloseWithErrorPropagation.
  ["closed", "writable", {}, { after: fulfilled, calls: [["close"]] }],
  ["closed", "writable", { preventClose: true }, { after: fulfilled }],
  ["closed", "writable", { preventAbort: true, preventCancel: true }, {
    after: fulfilled,
    calls: [["close"]],
  }],
  // Its step 4: a close queued or in flight is somebody else's.
  ["closed", "closing", {}, { before: fulfilled, after: fulfilled }],
  ["closed", "closing", { preventClose: true }, { before: fulfilled, after: fulfilled }],
  ["closed", "close queued", {}, { before: fulfilled, after: fulfilled, calls: [["close"]] }],
  ["closed", "closed", {}, { after: fulfilled }],
  ["closed", "closed", { preventClose: true }, { after: fulfilled }],
  // Its step 7: WritableStreamDefaultWriterClose of an erroring stream rejects with its error.
  ["closed", "erroring", {}, { before: pending, after: bySink }],
  ["closed", "erroring", { preventClose: true }, { before: fulfilled, after: fulfilled }],
];

const written = (options: StreamPipeOptions) => Object.keys(options).join(", ");
const named = (source: string, sink: string, options: StreamPipeOptions) =>
  [`source ${source}, sink ${sink}`, written(options)].filter(Boolean).join("; ");

for (const [source, sink, options, demand] of TABLE) {
  const { before, after, calls = [] } = demand;
  const except = sink === "erroring" ? SIZED_WHEN_ERRORING : [];
  rule(`${named(source, sink, options)} (propagation)`, { except }, async (pipe) => {
    const { rig, release } = await rigIn(source, sink);
    const outcome = follow(pipe(rig.source, rig.sink, options));
    await settle();
    assertEquals(outcome, before ?? after);
    assertEquals(rig.calls, before ? [] : calls);
    assertEquals(rig.locked, Array(2).fill(outcome.state === "pending"));
    release();
    await settle();
    assertEquals(outcome, after);
    assertEquals(rig.calls, calls);
    assertEquals(rig.locked, [false, false]);
  });
}

// Closing must be propagated backward: with a TypeError made here, "destClosed".
for (const sink of ["closing", "close queued", "closed"] as const) {
  const calls: Call[] = sink === "close queued" ? [["close"]] : [];
  // Node 24 and 26 write to a sink that is closing or closed, and fail an assertion of their own.
  const brokenOn = sink === "close queued" ? [] : ["node24", "node26"];
  const register = sink === "closing" ? nativeRule : rule;

  const except = sink === "close queued" ? CLOSES_UNREADY : [];
  register(`${named("readable", sink, {})} (propagation)`, { except }, async (pipe) => {
    const { rig, release } = await rigIn("readable", sink);
    const reason = await rejection(pipe(rig.source, rig.sink));
    assertInstanceOf(reason, TypeError);
    assertEquals(rig.calls, [["cancel", reason]]);
    assertEquals(rig.locked, [false, false]);
    assertEquals((await stateOf(rig.source)).state, "fulfilled");
    release();
    await settle();
    assertEquals(rig.calls, [["cancel", reason], ...calls]);
    assertEquals((await stateOf(rig.sink)).state, "fulfilled");
  });

  const options = { preventCancel: true };
  register(
    `${named("readable", sink, options)} (propagation)`,
    { brokenOn, except },
    async (pipe) => {
      const { rig, release } = await rigIn("readable", sink);
      rig.input.enqueue("a");
      assertInstanceOf(await rejection(pipe(rig.source, rig.sink, options)), TypeError);
      assertEquals(rig.calls, []);
      assertEquals(rig.locked, [false, false]);
      assertEquals(await rig.left(), ["a"]);
      release();
      await settle();
      assertEquals(rig.calls, calls);
    },
  );
}

// A close in flight cannot be told from outside, other than by a write.
test("pipe: source readable, sink closing: seen when there is a chunk to write", async () => {
  const { rig, release } = await rigIn("readable", "closing");
  rig.input.enqueue("a");
  rig.input.enqueue("b");
  const reason = await rejection(pipe(rig.source, rig.sink));
  assertInstanceOf(reason, TypeError);
  assertEquals(rig.calls, [["cancel", reason]]);
  assertEquals(rig.locked, [false, false]);
  release();
  await settle();
  assertEquals((await stateOf(rig.sink)).state, "fulfilled");
});

test("pipe: source readable, sink closing: seen when that is done", async () => {
  const { rig, release } = await rigIn("readable", "closing");
  const outcome = follow(pipe(rig.source, rig.sink));
  await settle();
  assertEquals(outcome.state, "pending");
  release();
  await settle();
  assertEquals(outcome.state, "rejected");
  assertInstanceOf(outcome.reason, TypeError);
  assertEquals(rig.calls, [["cancel", outcome.reason]]);
});

rule("a source that fails to start is an errored one (propagation)", async (pipe) => {
  const { sink, calls } = new Rig();
  const source = new ReadableStream({ start: () => Promise.reject(SOURCE) });
  assertEquals(await rejection(pipe(source, sink)), SOURCE);
  assertEquals(calls, [["abort", SOURCE]]);
});

rule("a sink that fails to start is an errored one (propagation)", async (pipe) => {
  const rig = new Rig({ onStart: () => Promise.reject(SINK) });
  assertEquals(await rejection(pipe(rig.source, rig.sink)), SINK);
  assertEquals(rig.calls, [["cancel", SINK]]);
});

rule(
  "a sink that errors before it has started is erroring until then (propagation)",
  { brokenOn: [...IGNORES_ERRORING, "firefox"] },
  async (pipe) => {
    for (const chunks of [[], ["a"], ["a", "b"]]) {
      const started = deferred();
      const rig = new Rig({ onStart: () => started.promise });
      const outcome = follow(pipe(rig.source, rig.sink));
      await settle();
      rig.output.error(SINK);
      for (const chunk of chunks) rig.input.enqueue(chunk);
      await settle();
      assertEquals(outcome, pending);
      started.resolve();
      await settle();
      assertEquals(outcome, bySink);
      assertEquals(rig.calls, [["cancel", SINK]]);
    }
  },
);

rule("a source closed with chunks in its queue is readable still (propagation)", async (pipe) => {
  const rig = new Rig({ chunks: ["a", "b"], closed: true });
  await pipe(rig.source, rig.sink);
  assertEquals(rig.calls, [["write", "a"], ["write", "b"], ["close"]]);
});

rule("a source that errors takes its queue with it (propagation)", async (pipe) => {
  const rig = new Rig({ chunks: ["a", "b"] });
  rig.input.error(SOURCE);
  assertEquals(await rejection(pipe(rig.source, rig.sink)), SOURCE);
  assertEquals(rig.calls, [["abort", SOURCE]]);
});

rule("a sink aborted before is an errored one (propagation)", async (pipe) => {
  const rig = new Rig();
  await rig.sink.abort(SINK);
  assertEquals(await rejection(pipe(rig.source, rig.sink)), SINK);
  assertEquals(rig.calls, [["abort", SINK], ["cancel", SINK]]);
});

rule("a sink whose abort hangs is erroring until then (propagation)", async (pipe) => {
  const aborted = deferred();
  const rig = new Rig({ chunks: ["a"], hold: true, onAbort: () => aborted.promise });
  const writer = rig.sink.getWriter();
  writer.write("before").catch(() => {});
  await settle();
  writer.releaseLock();
  const abort = rig.sink.abort(SINK);
  const outcome = follow(pipe(rig.source, rig.sink));
  await settle();
  assertEquals(outcome.state, "pending");
  rig.writes[0].resolve();
  aborted.resolve();
  await abort;
  await settle();
  assertEquals(outcome, bySink);
  assertEquals(rig.calls, [["write", "before"], ["abort", SINK], ["cancel", SINK]]);
});

rule(
  "an errored source and a closing sink whose close fails: that failure (propagation)",
  async (pipe) => {
    const close = deferred();
    const rig = new Rig({ onClose: () => close.promise });
    const writer = rig.sink.getWriter();
    writer.close().catch(() => {});
    writer.releaseLock();
    rig.input.error(SOURCE);
    await settle();
    const outcome = follow(pipe(rig.source, rig.sink));
    await settle();
    close.reject(SINK);
    await settle();
    assertEquals(outcome, bySink);
  },
);

rule(
  "a closed source and a closing sink whose close fails: no concern of it (propagation)",
  async (pipe) => {
    const close = deferred();
    const rig = new Rig({ closed: true, onClose: () => close.promise });
    const writer = rig.sink.getWriter();
    writer.close().catch(() => {});
    writer.releaseLock();
    await settle();
    const outcome = follow(pipe(rig.source, rig.sink));
    await settle();
    close.reject(SINK);
    await settle();
    assertEquals(outcome, fulfilled);
  },
);
