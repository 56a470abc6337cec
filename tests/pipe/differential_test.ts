/**
 * The same random script played to `pipe` and to the platform's `pipeTo`.
 *
 * With a turn between the steps the two must agree in every call, every read and the outcome. Steps
 * in one turn are another matter: an engine sees a stream's state at once, code outside it a
 * microtask later, so there only what must hold for any order is checked.
 *
 * @module
 */
import { pipe, type PipeOptions, type PipeResult } from "@webstreams/join";
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { test } from "../harness.ts";
import { type Call, follow, NODES, type Pipe, pipeTo, Rig, type Settlement } from "./helpers.ts";
import { macrotask } from "../support/async.ts";
import {
  ABORTS_LATE,
  CLOSED_UNCANCELLED,
  IGNORES_ERRORING,
  PIPES_CHUNK_BY_CHUNK,
} from "../support/deviations.ts";
import { platform } from "../support/environment.ts";

const RUNS = 300;

const EVENTS = [
  "enqueue",
  "close",
  "error source",
  "resolve",
  "reject",
  "error sink",
  "abort",
] as const;
type Event = typeof EVENTS[number];
type Gap = "none" | "microtask" | "turn";

interface Script {
  /** Chunks in the source at the start. */
  queued: number;
  mark: number;
  prevent: Pick<PipeOptions, "preventAbort" | "preventCancel" | "preventClose">;
  /** What close(), abort() and cancel() do. */
  failing: { close: boolean; abort: boolean; cancel: boolean };
  steps: { event: Event; gap: Gap }[];
}

function scripts(gaps: fc.Arbitrary<Gap>): fc.Arbitrary<Script> {
  // Chunks and finished writes, mostly, so that the rest meets a pipe at work.
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.constant<Event>("enqueue") },
    { weight: 4, arbitrary: fc.constant<Event>("resolve") },
    { weight: 3, arbitrary: fc.constantFrom(...EVENTS) },
  );
  return fc.record({
    queued: fc.nat(4),
    mark: fc.nat(4),
    prevent: fc.record({
      preventAbort: fc.boolean(),
      preventCancel: fc.boolean(),
      preventClose: fc.boolean(),
    }),
    failing: fc.record({
      close: fc.boolean(),
      abort: fc.boolean(),
      cancel: fc.boolean(),
    }),
    steps: fc.array(fc.record({ event, gap: gaps }), { maxLength: 14 }),
  });
}

async function pass(gap: Gap): Promise<void> {
  if (gap === "none") return;
  await (gap === "turn" ? macrotask() : undefined);
}

/** How a play went. */
interface Play {
  /** After every step: the calls so far, the room in the source, the outcome's state, the locks. */
  trace: unknown[];
  outcome: Settlement;
  calls: Call[];
  /** How many chunks were enqueued, and what is left of them. */
  enqueued: number;
  left: unknown[];
  /** The events that took place. */
  events: Set<Event>;
  /** Writes that were made to fulfil before it settled. */
  fulfilled: number;
  /** Writes that were made to fulfil after: it did not wait for them. */
  late: number;
}

async function play(pipe: Pipe, script: Script, more: PipeOptions = {}): Promise<Play> {
  const { prevent, failing, mark } = script;
  const fail = (name: string, fails: boolean) => () => fails ? Promise.reject(name) : undefined;
  const rig = new Rig({
    chunks: Array.from({ length: script.queued }, (_, index) => index),
    mark,
    hold: true,
    onClose: fail("close()", failing.close),
    onAbort: fail("abort()", failing.abort),
    onCancel: fail("cancel()", failing.cancel),
  });
  await macrotask();
  const controller = new AbortController();
  let enqueued = script.queued;
  let settled = 0;
  let fulfilled = 0;
  let late = 0;
  const events = new Set<Event>();
  const acts: Record<Event, () => void> = {
    enqueue: () => {
      rig.input.enqueue(enqueued);
      enqueued++;
    },
    close: () => rig.input.close(),
    "error source": () => rig.input.error("source"),
    resolve: () => {
      if (settled === rig.writes.length) return;
      rig.writes[settled++].resolve();
      if (outcome.state === "pending") fulfilled++;
      else late++;
    },
    reject: () => {
      if (settled === rig.writes.length) return;
      rig.writes[settled++].reject("write");
      events.add("error sink");
    },
    "error sink": () => rig.output.error("sink"),
    abort: () => controller.abort("reason"),
  };
  const outcome = follow(pipe(rig.source, rig.sink, {
    ...prevent,
    ...more,
    signal: controller.signal,
  }));
  const trace: unknown[] = [];
  const note = () =>
    trace.push([rig.calls.length, rig.input.desiredSize, { ...outcome }, ...rig.locked]);

  await macrotask();
  note();
  const act = (event: Event) => {
    try {
      acts[event]();
      events.add(event);
    } catch {
      // The source has ended and takes no more.
    }
  };
  for (const { event, gap } of script.steps) {
    act(event);
    await pass(gap);
    if (gap === "turn") note();
  }
  // To the end, whatever is missing.
  for (const last of ["close", "error sink"] as const) {
    await macrotask();
    if (outcome.state === "pending") act(last);
    await macrotask();
    while (settled < rig.writes.length) {
      act("resolve");
      await macrotask();
      note();
    }
  }
  note();
  const left = outcome.state === "pending" ? [] : await rig.left().catch(() => []);
  return { trace, outcome, calls: rig.calls, enqueued, left, events, fulfilled, late };
}

function comparable({ trace, outcome, calls, left }: Play): unknown {
  return { trace, outcome, calls, left };
}

/** Whether the script leads to where this platform's own `pipeTo` departs from the standard. */
function pipeToDeparts({ mark, steps }: Script): boolean {
  const events = steps.map(({ event }) => event);
  const afterwards = (...first: Event[]) => {
    const at = events.findIndex((event) => first.includes(event));
    return at < 0 ? [] : events.slice(at + 1);
  };
  const after = afterwards("close", "error source", "abort");
  return [
    // Reads on while the sink is erroring (backpressure: desiredSize is null).
    ["deno", "node24", "node26", "firefox"].includes(platform) && mark > 1 &&
    events.includes("error sink"),
    IGNORES_ERRORING.includes(platform) && events.includes("error sink"),
    ABORTS_LATE.includes(platform) && events.includes("abort"),
    // Drops what a read brings that was waiting when the signal aborted.
    ["chromium", "firefox"].includes(platform) && afterwards("abort").includes("enqueue"),
    // Sees a source that closes with its last chunk only once the sink has room again.
    platform === "chromium" &&
    afterwards("close").some((event) => event === "abort" || event === "reject"),
    // Lets a failure of the sink that comes during the shutdown replace the outcome.
    NODES.includes(platform) && (after.includes("reject") || after.includes("error sink")),
    // Reads on after an abort, and waits for the first of several writes alone.
    ["node20", "node22"].includes(platform) && (mark > 1 || events.includes("abort")),
  ].some(Boolean);
}

const reference = !PIPES_CHUNK_BY_CHUNK.includes(platform);
const agreement = "pipe and pipeTo agree, with a turn between the steps";
if (reference) {
  test(agreement, { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(scripts(fc.constant("turn")), async (script) => {
      fc.pre(!pipeToDeparts(script));
      const stats: Partial<PipeResult> = {};
      const [ours, theirs] = await Promise.all([
        play(pipe, script, { stats }),
        play(pipeTo, script),
      ]);
      assertEquals(comparable(ours), comparable(theirs));
      assertGreaterOrEqual(stats.chunks!, ours.fulfilled);
      assertLessOrEqual(stats.chunks!, ours.fulfilled + ours.late);
    });
    await fc.assert(property, { numRuns: RUNS });
  });
}

// Steps in one turn: an event that code outside an engine has not seen yet may come in another order.
const anyGap = fc.constantFrom<Gap>("none", "microtask", "turn");
const sound = (name: string, subject: Pipe) =>
  test(`${name} is sound, with any gap between the steps`, { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(scripts(anyGap), async (script) => {
      assertSound(script, await play(subject, script));
    });
    await fc.assert(property, { numRuns: RUNS });
  });

/** What holds in whichever order things are seen. */
function assertSound({ prevent, failing }: Script, played: Play): void {
  const { outcome, calls, enqueued, left, events, trace } = played;
  assert(outcome.state !== "pending");
  assertEquals((trace.at(-1) as unknown[]).slice(-2), [false, false]);

  const names = calls.map(([name]) => name);
  const written = calls.filter(([name]) => name === "write").map(([, chunk]) => chunk);
  // Whole, once, in order, and nothing after the end.
  assertEquals(written, written.map((_, index) => index));
  const last = names.findIndex((name) => name === "close" || name === "abort");
  assert(last < 0 || !names.slice(last).includes("write"));
  for (const name of ["close", "abort", "cancel"]) {
    assert(names.filter((other) => other === name).length <= 1);
  }
  if (prevent.preventClose) assert(!names.includes("close"));
  if (prevent.preventAbort) assert(!names.includes("abort"));
  if (prevent.preventCancel) assert(!names.includes("cancel"));

  // Nothing is lost between a source that lives on and a sink that does.
  const sinkFailed = events.has("error sink") || names.includes("abort");
  const unseen = CLOSED_UNCANCELLED.includes(platform) && events.has("close");
  const cancelled = names.includes("cancel") || unseen && !prevent.preventCancel;
  if (!sinkFailed && !events.has("error source") && !cancelled) {
    assertEquals([...written, ...left], Array.from({ length: enqueued }, (_, index) => index));
  }

  if (outcome.state === "fulfilled") {
    assert(events.has("close"));
    assertEquals(left, []);
    if (!sinkFailed) assertEquals(names.includes("close"), !prevent.preventClose);
    return;
  }
  const causes = {
    source: events.has("error source"),
    sink: events.has("error sink"),
    write: events.has("error sink"),
    reason: events.has("abort"),
    "close()": failing.close && names.includes("close"),
    "abort()": failing.abort && names.includes("abort"),
    "cancel()": failing.cancel && names.includes("cancel"),
  };
  assert(causes[outcome.reason as keyof typeof causes], `by ${outcome.reason}`);
}

sound("pipe", pipe);
// These lose chunks, and Node fails assertions of its own.
if (reference && !["node24", "node26", "chromium", "firefox"].includes(platform)) {
  sound("pipeTo", pipeTo);
}
