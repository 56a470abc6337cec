/**
 * What happens around a join: scripts whose outcome can be predicted, as each step is taken once the
 * join has come to rest, and storms in which everything happens at once.
 *
 * @module
 */
import fc from "fast-check";
import { type Kind, KINDS } from "../support/fake_end.ts";
import { otherSide, type Side, sides } from "../support/sides.ts";
import { Model } from "./model.ts";

/** When an operation is answered: before it returns, or later. */
export type Pace = "now" | "microtask" | "macrotask";

/** How an end behaves, whatever kind it is of. */
export interface EndTraits {
  /** `"receive"`: it hears a half-close, and can send none. */
  readonly halfCloses: boolean | "receive";
  /** Ending its writing fails. */
  readonly endFails: boolean;
  /** Closing it fails once its writing has ended. */
  readonly closeFails: boolean;
  /** When reads and writes are answered, in turn. */
  readonly reads: readonly Pace[];
  readonly writes: readonly Pace[];
  /** Go-style: the share of what it is given that each write takes, in turn. */
  readonly portions: readonly number[];
  /** Go-style: it has `abort`. */
  readonly aborts: boolean;
  /** Go-style: what waits when it is closed fails, rather than waiting for ever. */
  readonly interrupts: boolean;
  /** Streams: what becomes of a chunk that was written. */
  readonly memory: "consumes" | "keeps" | "scribbles" | "transfers";
  /** Streams: chunks that may wait for the sink. */
  readonly highWaterMark: number;
  /** Streams: an end of file or an error shows before the next read asks for it. */
  readonly eager: boolean;
  /** Byte streams: they fill what a read brings along, rather than bringing their own. */
  readonly fills: boolean;
  /** Byte streams: they answer the read that waits when they close. */
  readonly answersAtEnd: boolean;
  /** Default streams: chunks are views of something larger. */
  readonly views: boolean;
}

/** What one end sends: chunks, and what comes after them. */
export interface Burst {
  readonly from: Side;
  readonly sizes: readonly number[];
  readonly then?: "eof" | "error";
}

/** A step of a script. */
export type ScriptStep =
  | { readonly do: "send"; readonly what: readonly Burst[] }
  | { readonly do: "stall" | "resume" | "refuse"; readonly at: Side }
  | { readonly do: "abort" | "wait" };

/** What all scenarios have. */
export interface Setting {
  readonly ends: Readonly<Record<Side, EndTraits>>;
  /** By the end that sends. */
  readonly limit: Readonly<Partial<Record<Side, number>>>;
  readonly preventClose: Readonly<Record<Side, boolean>>;
  /** With a timeout and a rate that are never reached. */
  readonly timed: boolean;
  readonly rated: boolean;
  /** With a `halfCloseTimeout` that is. */
  readonly impatient: boolean;
}

/** A scenario with a predictable outcome. */
export interface Script extends Setting {
  readonly steps: readonly ScriptStep[];
  /** How many of the steps come before `join` is called. */
  readonly before: number;
}

/** Something that happens at the n-th event at any of the ends. */
export interface Fault {
  readonly at: number;
  readonly what: "abort" | "failRead" | "failWrite" | "stall" | "resume";
  readonly side: Side;
}

/** A scenario in which everything happens at once. */
export interface Storm extends Setting {
  readonly bursts: readonly Burst[];
  readonly faults: readonly Fault[];
}

/** The kinds of the two ends in the routes that are not of one kind. */
export type Kinds = Readonly<Record<Side, Kind>>;

const pace = fc.constantFrom<Pace>("now", "microtask", "macrotask");
const side = fc.constantFrom<Side>("a", "b");
const paces = fc.array(pace, { minLength: 1, maxLength: 3 });

const traits: fc.Arbitrary<EndTraits> = fc.record({
  halfCloses: fc.constantFrom<EndTraits["halfCloses"]>(true, true, true, true, false, "receive"),
  endFails: mostly(false, 12),
  closeFails: mostly(false, 12),
  reads: paces,
  writes: paces,
  portions: fc.array(fc.constantFrom(1, 0.5, 0.01, 0), { maxLength: 4 })
    .map((portions) => [...portions, 1]),
  aborts: fc.boolean(),
  interrupts: fc.boolean(),
  memory: fc.constantFrom<EndTraits["memory"]>("consumes", "keeps", "scribbles", "transfers"),
  highWaterMark: fc.constantFrom(1, 1, 2, 5),
  eager: fc.boolean(),
  fills: fc.boolean(),
  answersAtEnd: fc.boolean(),
  views: fc.boolean(),
});

/** Small for the most part, and around where buffers grow. */
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 511, 512, 513, 2047, 2048, 2049) },
  { weight: 2, arbitrary: fc.constantFrom(65_535, 65_536, 65_537) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 200_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(1_048_575, 1_048_576) },
);
const sizes = fc.array(size, { maxLength: 4 });
const limit = fc.oneof(
  { weight: 5, arbitrary: fc.constant(undefined) },
  {
    weight: 2,
    arbitrary: fc.oneof(
      fc.integer({ min: 1, max: 2000 }),
      fc.constantFrom(512, 65_536, 100_000, 1_048_576),
    ),
  },
);

const setting = {
  ends: fc.record({ a: traits, b: traits }),
  limit: fc.record({ a: limit, b: limit }),
  preventClose: fc.record({ a: mostly(false, 5), b: mostly(false, 5) }),
  timed: fc.boolean(),
  rated: mostly(false),
  impatient: mostly(false, 5),
};

const burst: fc.Arbitrary<Burst> = fc.record({
  from: side,
  sizes,
  then: fc.constantFrom(undefined, undefined, undefined, "eof" as const, "error" as const),
});

const step: fc.Arbitrary<ScriptStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      what: burst.map((one) => [one]),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      what: fc.tuple(sizes, sizes, fc.constantFrom(undefined, "eof" as const)).map((
        [fromA, fromB, then],
      ): Burst[] => [{ from: "a", sizes: fromA, then }, { from: "b", sizes: fromB, then }]),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom<"stall" | "resume" | "refuse">("stall", "resume", "refuse", "refuse"),
      at: side,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("abort" as const) }) },
);

/** Scripts that end, one way or another. */
export const scripts: fc.Arbitrary<Script> = fc.record({
  ...setting,
  steps: fc.array(step, { maxLength: 10 }),
  last: side,
  before: fc.constantFrom(0, 0, 1),
}).map(({ last, ...script }) => ({ ...script, steps: playable(script, last) }));

/** Storms. */
export const storms: fc.Arbitrary<Storm> = fc.record({
  ...setting,
  bursts: fc.array(burst, { maxLength: 8 }),
  faults: fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: 60 }),
      what: fc.constantFrom<Fault["what"]>("abort", "failRead", "failWrite", "stall", "resume"),
      side,
    }),
    { maxLength: 3 },
  ),
}).map((storm) => ({ ...storm, bursts: untilEnd(storm.bursts) }));

/** The kinds of two ends. */
export const kinds: fc.Arbitrary<Kinds> = fc.record({ a: kind(), b: kind() });

function kind(): fc.Arbitrary<Kind> {
  return fc.constantFrom(...KINDS);
}

function mostly(value: boolean, weight = 3): fc.Arbitrary<boolean> {
  return fc.oneof(
    { weight, arbitrary: fc.constant(value) },
    { weight: 1, arbitrary: fc.constant(!value) },
  );
}

/** Nothing comes after an end of file or an error. */
function untilEnd(bursts: readonly Burst[]): Burst[] {
  const over = new Set<Side>();
  return bursts.filter(({ from, then }) => {
    if (over.has(from)) return false;
    if (then) over.add(from);
    return true;
  });
}

/** The steps that make sense where they are, and such that it ends. */
function playable(
  script: Omit<Script, "steps"> & { steps: readonly ScriptStep[] },
  last: Side,
): ScriptStep[] {
  const model = new Model(script);
  const steps: ScriptStep[] = [];
  const take = (step: ScriptStep) => {
    if (steps.length === script.before) model.start();
    if (model.outcome || !makesSense(step, model, script)) return;
    model.apply(step);
    steps.push(step);
  };
  const wait = () => {
    if (script.impatient) take({ do: "wait" });
  };
  const finish = (from: Side) => {
    take({ do: "send", what: [{ from, sizes: [], then: "eof" }] });
    wait();
  };
  // What comes after the first end would race with the timeout.
  const free = script.impatient
    ? script.steps.filter((step) => !endsSomething(step))
    : script.steps;
  free.forEach(take);
  if (!script.impatient) take({ do: "resume", at: otherSide(last) });
  finish(last);
  for (const at of sides) {
    take({ do: "resume", at });
    wait();
  }
  finish(otherSide(last));
  take({ do: "abort" });
  return steps;
}

function endsSomething(step: ScriptStep): boolean {
  return step.do === "send" && step.what.some(({ then }) => then === "eof");
}

function makesSense(step: ScriptStep, model: Model, setting: Setting): boolean {
  // Some routes see an end of file behind a write that does not settle, and some only after it.
  const halfSeen = sides.filter((side) => !setting.ends[side].halfCloses && model.endWaits(side));
  if (halfSeen.length > 0 && step.do !== "abort") {
    return step.do === "resume" && model.stalled[step.at] && halfSeen[0] !== step.at;
  }
  switch (step.do) {
    case "send":
      return !model.failureWaits && step.what.every(({ from }) => !model.atEnd(from)) &&
        step.what.every((burst) => failures(burst, model) <= 1) &&
        (step.what.length === 1 || canMix(step.what, model, setting));
    case "stall":
      return !model.stalled[step.at] && !model.atEnd(otherSide(step.at)) && !model.gone(step.at);
    case "resume":
      return model.stalled[step.at] && !model.gone(step.at);
    case "refuse":
      return !model.stalled[step.at] && !model.refusing[step.at] &&
        !model.atEnd(otherSide(step.at)) && !model.gone(step.at);
    case "wait":
      return model.lanes.a.ended !== model.lanes.b.ended;
    case "abort":
      return !sides.some((from) => model.exceedsLimit(from, 0));
  }
}

/** How much can go wrong with a burst: of two failures either may be the first. */
function failures({ from, sizes, then }: Burst, model: Model): number {
  const sum = sizes.reduce((sum, size) => sum + size, 0);
  const refused = model.refusing[otherSide(from)] && sum + model.waiting(from) > 0;
  return [refused, model.exceedsLimit(from, sum), then === "error"].filter(Boolean).length;
}

/** Whether all of this can happen at once without its order making a difference. */
function canMix(what: readonly Burst[], model: Model, { ends }: Setting): boolean {
  return what.every((burst) =>
    failures(burst, model) === 0 &&
    (burst.then === undefined || ends[burst.from].halfCloses && !ends[burst.from].endFails)
  );
}
