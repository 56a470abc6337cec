/**
 * Plays scenarios with the real `join`, and holds what happens against the model, or against what must
 * hold whatever happens.
 *
 * @module
 */
import {
  BufferPool,
  join,
  JoinError,
  type JoinOptions,
  type JoinResult,
  type JoinStats,
  LimitError,
} from "@webstreams/join";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { delay, macrotask } from "../support/async.ts";
import { byteStreams } from "../support/environment.ts";
import type { Kind } from "../support/fake_end.ts";
import type { Route } from "../support/routes.ts";
import { CountingController } from "../support/signal.ts";
import { Model, type PredictedFailure, type PredictedSuccess, type Prediction } from "./model.ts";
import { otherSide, type Side, sides } from "../support/sides.ts";
import type { Fault, Kinds, Script, ScriptStep, Setting, Storm } from "./scenario.ts";
import { ScriptedEnd } from "./scripted_end.ts";

/** A route whose two ends may be of different kinds. */
export interface MixedRoute extends Pick<Route, "via"> {
  readonly name: string;
  readonly kinds: Kinds;
}

/** The four ways, less one where there are no byte streams, and one with an end of each kind. */
export function routes(mixed: Kinds, platform: Kinds): MixedRoute[] {
  const both = (kind: Kind) => ({ a: kind, b: kind });
  return [
    { name: "Go-style ends", kinds: both("conn"), via: "auto" },
    ...byteStreams ? [{ name: "byte streams", kinds: both("bytes"), via: "auto" } as const] : [],
    { name: "default streams", kinds: both("default"), via: "auto" },
    { name: `${mixed.a} and ${mixed.b}`, kinds: mixed, via: "auto" },
    { name: `${platform.a} and ${platform.b} by pipeTo`, kinds: platform, via: "pipeTo" },
  ];
}

/** Milliseconds within which everything that is to happen has happened. */
const PATIENCE_MS = 2000;
/** What a turn of the event loop counts for at most: in a longer one the machine stood still. */
const LONGEST_TURN_MS = 20;
/** An abort must not take as long as the second that waiting is otherwise bounded by. */
const AT_ONCE_MS = 900;
/** Longer than the shortest timer there is. */
const SHORT_TIMER_MS = 3;
/** Turns of the event loop after which what is waited for needs a timer: a silence, a timeout. */
const BUSY_TURNS = 100;
/** Turns of the event loop after which nothing more is expected. */
const TURNS_AT_REST = 4;

type Settled = { readonly value: JoinResult } | { readonly error: unknown };

/** A join of two scripted ends by one route. */
class Play {
  readonly ends: Record<Side, ScriptedEnd>;
  readonly pool = new BufferPool();
  readonly stats: JoinStats = {};
  readonly reason = new Error("aborted by the scenario");
  settled?: Settled;
  events = 0;
  /** Called at every event with its number. */
  onEvent: (event: number) => void = () => {};
  readonly #setting: Setting;
  readonly #route: MixedRoute;
  readonly #aborter = new CountingController();
  #streams: (ReadableStream | WritableStream)[] = [];

  constructor(setting: Setting, route: MixedRoute) {
    this.#setting = setting;
    this.#route = route;
    const end = (side: Side) =>
      new ScriptedEnd(side, setting.ends[side], () => this.onEvent(this.events++));
    this.ends = { a: end("a"), b: end("b") };
  }

  start(): void {
    const [a, b] = sides.map((side) => this.ends[side].as(this.#route.kinds[side]));
    this.#streams = [a, b].flatMap((end) => "readable" in end ? [end.readable, end.writable] : []);
    join(a, b, this.#options()).then(
      (value) => this.settled = { value },
      (error) => this.settled = { error },
    );
    assert(this.#streams.every(({ locked }) => locked), "locked before join() returns");
  }

  #options(): JoinOptions {
    const { limit, preventClose, timed, rated, impatient } = this.#setting;
    return {
      signal: this.#aborter.signal,
      limit: { aToB: limit.a, bToA: limit.b },
      preventClose,
      idleTimeout: timed ? 600_000 : undefined,
      halfCloseTimeout: impatient ? 5 : undefined,
      rate: rated ? 1e12 : undefined,
      stats: this.stats,
      pool: this.pool,
      via: this.#route.via,
    };
  }

  /** Whether it may end by itself. */
  get impatient(): boolean {
    return this.#setting.impatient;
  }

  abort(): void {
    this.#aborter.abort(this.reason);
  }

  /** Does a step of a script. */
  take(step: ScriptStep): void {
    switch (step.do) {
      case "send":
        for (const burst of step.what) this.ends[burst.from].send(burst);
        break;
      case "abort":
        this.abort();
        break;
      case "wait":
        break;
      default:
        this.ends[step.at][step.do]();
    }
  }

  /** Does what goes wrong in a storm. */
  suffer({ what, side }: Fault): void {
    if (what === "abort") this.abort();
    else this.ends[side][what]();
  }

  /** Bytes counted on the way from `side`. */
  counted(side: Side): number {
    return (side === "a" ? this.stats.aToB : this.stats.bToA)?.bytes ?? 0;
  }

  /** The same as `join` has told in the end: with its error, if that is a JoinError. */
  told(side: Side): number {
    const { settled } = this;
    const error = settled && "error" in settled ? settled.error : undefined;
    if (!(error instanceof JoinError)) return this.counted(side);
    return (side === "a" ? error.aToB : error.bToA).bytes;
  }

  /** Waits until something holds, and for some turns more. */
  async until(holds: () => boolean, ms = PATIENCE_MS): Promise<void> {
    let left = ms;
    let turn = 0;
    for (let last = performance.now(), now = last; !holds() && left > 0; last = now) {
      await (++turn < BUSY_TURNS ? macrotask() : delay(1));
      now = performance.now();
      left -= Math.min(now - last, LONGEST_TURN_MS);
    }
    for (let turn = 0; turn < TURNS_AT_REST; turn++) await macrotask();
  }

  /** What holds after every join: nothing is left behind, and no byte is wrong. */
  async leavesNothing(): Promise<void> {
    assert(!this.#streams.some(({ locked }) => locked), "a stream is still locked");
    assertEquals(this.#aborter.listeners, 0, "listeners of the signal");
    assertEquals(this.pool.lent, 0, "lent by the pool");
    const busy = new Set([...this.ends.a.busy, ...this.ends.b.busy]);
    const held = takeAll(this.pool).map(({ buffer }) => buffer);
    assertEquals(new Set(held).size, held.length, "buffers that the pool holds, and all there are");
    assert(!held.some((buffer) => busy.has(buffer)), "the pool holds what may still be touched");
    for (const side of sides) this.ends[side].wakeAll();
    for (let turn = 0; turn < TURNS_AT_REST; turn++) await macrotask();
    for (const side of sides) {
      const end = this.ends[side];
      end.verifyKept();
      assertEquals(end.violations, [], `violations by ${this.#route.name}`);
    }
  }
}

/** Plays a script by a route, and compares every step with the model. */
export async function playScript(script: Script, route: MixedRoute): Promise<void> {
  const play = new Play(script, route);
  const model = new Model(script);
  const { steps, before } = script;
  // What ends by itself does so as soon as it can.
  const atRest = (next?: ScriptStep) =>
    next?.do === "wait" ? undefined : compare(play, model, route);
  for (const [index, step] of [...steps, undefined].entries()) {
    if (index === before) {
      play.start();
      model.start();
      await atRest(step);
    }
    if (!step) break;
    play.take(step);
    model.apply(step);
    if (index >= before) await atRest(steps[index + 1]);
  }
  const { outcome } = model;
  assert(outcome && play.settled, "the script has an end");
  compareOutcome(play, outcome, route, model);
  compareEnds(play, outcome, script, route);
  await play.leavesNothing();
}

/** After a step: both have come to rest at the same state. */
async function compare(play: Play, model: Model, route: MixedRoute): Promise<void> {
  const exact = route.via === "auto";
  if (model.outcome) {
    const aborted = model.outcome.how === "abort";
    await play.until(() => play.settled !== undefined, aborted ? AT_ONCE_MS : PATIENCE_MS);
    assert(play.settled, `${route.name}: does not settle: expected ${model.outcome.how}`);
    return;
  }
  // What waits to fail there may fail at once by `pipeTo`, which reads ahead.
  if (!exact && model.failureWaits) return;
  // It also counts what has not arrived yet, or will be dropped.
  const countsAlike = (side: Side) => exact || model.lossless(side);
  const expected = state(
    (side) => model.arrived(side),
    (side) => countsAlike(side) ? model.lanes[side].passed : undefined,
    (side) => model.halfClosed[side] ? ["end"] : [],
  );
  const actual = () =>
    state(
      (side) => play.ends[side].taken,
      (side) => countsAlike(side) ? play.counted(side) : undefined,
      (side) => play.ends[side].log.map(({ done }) => done),
    );
  const ended = sides.filter((side) => model.lanes[side].ended);
  await play.until(() =>
    ended.every((side) => play.ends[side].readOver) &&
    JSON.stringify(actual()) === JSON.stringify(expected)
  );
  // An end of file that answers no read shows to the library after its shortest timer, and to us not
  // at all if the other end cannot half-close.
  if (ended.length > 0) await delay(SHORT_TIMER_MS);
  assertEquals(actual(), expected, route.name);
  assertEquals(play.settled, undefined, "settled too early");
}

function state(
  arrived: (side: Side) => number,
  counted: (side: Side) => number | undefined,
  log: (side: Side) => string[],
) {
  return sides.map((side) => ({
    side,
    arrived: arrived(side),
    counted: counted(side),
    log: log(side),
  }));
}

function compareOutcome(play: Play, outcome: Prediction, route: MixedRoute, model: Model): void {
  const settled = play.settled!;
  const success = outcome.how === "eof" || outcome.how === "timeout";
  const exact = success || route.via === "auto";
  for (const side of sides) {
    const { given } = play.ends[side];
    const arrived = play.ends[otherSide(side)].taken;
    const expected = model.lanes[side].passed;
    const counted = play.told(side);
    if (exact) assertEquals(arrived, expected, `from ${side}: arrived`);
    if (route.via === "auto" || success && model.lossless(side)) {
      assertEquals(counted, expected, `from ${side}: counted`);
    } else {
      const order = [arrived, counted, given];
      assert(arrived <= expected, `from ${side}: ${arrived} have arrived, of ${expected}`);
      assertEquals(order, order.toSorted((x, y) => x - y), `from ${side}: arrived, counted, read`);
    }
  }
  if (outcome.how === "eof" || outcome.how === "timeout") {
    if (outcome.how === "eof" && outcome.failing.length > 0) return compareClosing(play, outcome);
    assert("value" in settled, `join fails: ${describe(settled)}`);
    const { aToB, bToA, ended } = settled.value;
    assertEquals(ended, outcome.how);
    // By `pipeTo` the counter still sees what was under way to a write that was given up.
    if (route.via === "auto") assertEquals({ aToB, bToA }, play.stats);
    return;
  }
  assert("error" in settled, `join succeeds: expected ${outcome.how}`);
  if (outcome.how === "abort") return assertStrictEquals(settled.error, play.reason);
  compareFailure(play, outcome, settled.error);
}

/** All has passed, and an end cannot be closed. */
function compareClosing({ settled, ends }: Play, { failing }: PredictedSuccess): void {
  assert(settled && "error" in settled, "join succeeds: expected a close to fail");
  const { error } = settled;
  assertInstanceOf(error, JoinError);
  const [first, other] = failing.map((end) => ({ cause: ends[end].closeError, end }));
  assertEquals({ direction: error.direction, side: error.side }, {
    direction: undefined,
    side: undefined,
  });
  assertEquals({ cause: error.cause, end: error.end }, first);
  assertEquals(error.other, other);
}

function compareFailure(play: Play, outcome: PredictedFailure, error: unknown): void {
  assertInstanceOf(error, JoinError);
  const { cause, direction, side, end, other } = error;
  assertEquals(other, undefined, "the opposite direction's failure");
  if (outcome.how === "limit") {
    assertInstanceOf(cause, LimitError);
    assertEquals({ direction, side, end }, {
      direction: directionFrom(outcome.from),
      side: undefined,
      end: undefined,
    });
    return;
  }
  const { at, how } = outcome;
  assertStrictEquals(cause, play.ends[at][`${how}Error`]);
  const from = how === "read" ? at : otherSide(at);
  assertEquals({ direction, side, end }, {
    direction: directionFrom(from),
    side: how === "read" ? how : "write",
    end: at,
  });
}

function directionFrom(side: Side): "aToB" | "bToA" {
  return side === "a" ? "aToB" : "bToA";
}

/** What was done to the ends, in which order. */
function compareEnds(play: Play, outcome: Prediction, script: Script, route: MixedRoute): void {
  for (const side of sides) {
    const { log } = play.ends[side];
    const done = log.map(({ done }) => done);
    const message = `what was done to ${side} by ${route.name}`;
    if (outcome.how === "eof") {
      const halfCloses = script.ends[side].halfCloses === true;
      const expected = script.preventClose[side] ? [] : halfCloses ? ["end", "close"] : ["close"];
      // Of a pair of streams that cannot half-close, closing includes the writable.
      const ignored = ["end", "abort"];
      // One of two that cannot half-close has not ended by then: its readable is cancelled.
      if (sides.every((side) => script.ends[side].halfCloses === false)) ignored.push("cancel");
      const whole = halfCloses ? done : done.filter((one) => !ignored.includes(one));
      assertEquals(whole, expected, `${message}: ${done}`);
    } else if (outcome.how === "timeout") {
      const closed = done.filter((one) => one === "close").length;
      assertEquals(closed, script.preventClose[side] ? 0 : 1, `${message}: ${done}`);
      if (script.preventClose[side]) assertEquals(done, [], message);
    } else {
      tornDown(play, side, route.kinds[side], message);
    }
  }
}

/** The other end, lost by a failed write, had sent it its last word: it is closed as after success. */
function wasServed(play: Play, side: Side): boolean {
  const { error } = play.settled as { error: unknown };
  const { log, traits } = play.ends[side];
  return error instanceof JoinError && error.side === "write" && error.end !== side &&
    play.ends[otherSide(side)].readOver && (traits.halfCloses !== true || log[0]?.done === "end") &&
    log.at(-1)?.done === "close" && log.at(-1)?.reason === undefined;
}

/** Neither can half-close: the end of file of the other has closed it, and cancelled its readable, before all else. */
function closesWithOther({ ends }: Play, side: Side, reason: unknown): boolean {
  const other = ends[otherSide(side)];
  return sides.every((side) => ends[side].traits.halfCloses === false) && other.readOver &&
    reason !== other.readError;
}

/** It was told, once, by what it has, and with the bare reason. */
function tornDown(play: Play, side: Side, kind: Kind, message: string): void {
  const { log, traits, readOver, writeOver } = play.ends[side];
  const { error } = play.settled as { error: unknown };
  const reason = error instanceof JoinError ? error.cause : error;
  const times = (what: string) => log.filter(({ done }) => done === what).length;
  const all = `${message}: ${log.map(({ done }) => done)}`;
  const served = wasServed(play, side);
  const aborts = traits.aborts && !served;
  if (kind === "conn") {
    assert(times("close") <= 1, all);
    assertEquals(times("abort"), aborts ? 1 : 0, all);
    if (!aborts) assertEquals(times("close"), 1, all);
  } else {
    assertEquals(times("close"), 1, all);
    assert(readOver, `${all}: the readable goes on`);
    assert(writeOver, `${all}: the writable goes on`);
  }
  for (const { done, reason: given } of log) {
    if (done === "end" || done === "close" && (kind === "conn" || given === undefined)) continue;
    if (served && given === undefined) continue;
    // It was over, and with it a write that was stuck, before anything failed.
    if (done === "abort" && !traits.halfCloses && given !== reason && readOver) continue;
    if (done === "cancel" && given === undefined && closesWithOther(play, side, reason)) continue;
    assertStrictEquals(given, reason, `${all}: reason of ${done}`);
  }
}

/** Plays a storm by a route, and checks what must hold in any case. Returns how many events it had. */
export async function playStorm(storm: Storm, route: MixedRoute): Promise<number> {
  const play = new Play(storm, route);
  play.onEvent = (event) => {
    for (const fault of storm.faults) if (fault.at === event) play.suffer(fault);
  };
  const { a, b } = play.ends;
  for (const burst of storm.bursts) play.ends[burst.from].send(burst);
  play.start();
  await atRest(play);
  const { events } = play;
  if (!play.settled) {
    play.abort();
    await play.until(() => play.settled !== undefined, AT_ONCE_MS);
  }
  const { settled } = play;
  assert(settled, `${route.name} does not settle`);
  for (const side of sides) {
    const { given } = play.ends[side];
    const { taken } = play.ends[otherSide(side)];
    const counted = play.told(side);
    const order = route.via === "auto" ? [counted, taken, given] : [taken, counted, given];
    assertEquals(order, order.toSorted((x, y) => x - y), `${route.name}, from ${side}: ${order}`);
    const { limit: { [side]: limit = Infinity } } = storm;
    assert(taken <= limit, `${taken} bytes have passed, of ${limit} allowed`);
  }
  const result = "value" in settled ? settled.value : closingFailed(play, settled.error);
  if ("error" in settled && !result) {
    plausible(play, settled.error);
    for (const side of sides) {
      tornDown(play, side, route.kinds[side], `what was done to ${side} by ${route.name}`);
    }
  } else {
    const ended = [a, b].filter(({ readOver }) => readOver).length;
    // Of two that cannot half-close, both are over when one is.
    const enough = sides.some((side) => storm.ends[side].halfCloses) ? 2 : 1;
    assert(storm.impatient || ended >= enough, "fulfilled before both have ended");
    const { aToB, bToA } = result!;
    if (route.via === "auto") assertEquals({ aToB, bToA }, play.stats);
  }
  await play.leavesNothing();
  return events;
}

/** The error, if all has passed and an end could not be closed. */
function closingFailed({ ends }: Play, error: unknown): JoinError | undefined {
  if (!(error instanceof JoinError)) return undefined;
  return sides.some((side) => error.cause === ends[side].closeError) ? error : undefined;
}

/** Waits until it has settled, or nothing happens any more. */
async function atRest(play: Play): Promise<void> {
  let events = -1;
  while (!play.settled && events !== play.events) {
    events = play.events;
    for (let turn = 0; turn < 50 && !play.settled && events === play.events; turn++) {
      await macrotask();
    }
    // The library's own timers: the shortest there are, and the timeout of an impatient join.
    const ms = play.impatient ? 10 : SHORT_TIMER_MS;
    if (events === play.events) await delay(ms);
  }
}

/** The error is one of those that there were, and says where it was. */
function plausible(play: Play, error: unknown): void {
  if (error === play.reason) return;
  assertInstanceOf(error, JoinError);
  const { other } = error;
  for (const failure of other ? [error, other] : [error]) {
    const { cause, direction, side, end } = failure;
    if (cause instanceof LimitError) {
      assertEquals([direction, side, end], [cause.direction, undefined, undefined]);
      continue;
    }
    assert(direction && side && end, `no place given for ${cause}`);
    const from = direction === "aToB" ? "a" : "b";
    assertEquals(end, side === "read" ? from : otherSide(from));
    const { readError, writeError, endError } = play.ends[end];
    const possible = side === "read" ? [readError] : [writeError, endError];
    assert(possible.some((one) => one === cause), `the ${side} at ${end} fails with ${cause}`);
  }
  if (other) assert(other.direction !== error.direction, "'other' is the opposite direction's");
}

function describe(settled: Settled): string {
  return "error" in settled ? String(settled.error) : "value";
}

/** Everything that lies in a pool. */
function takeAll(pool: BufferPool): Uint8Array[] {
  const buffers: Uint8Array[] = [];
  for (let size = 512; size <= pool.maxBuffer; size *= 2) {
    for (let held = pool.held;; held = pool.held) {
      const buffer = pool.acquire(size);
      pool.writeOff(size);
      if (pool.held === held) break;
      buffers.push(buffer);
    }
  }
  return buffers;
}
