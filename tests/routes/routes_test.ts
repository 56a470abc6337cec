/**
 * Four routes, one behaviour: the same scenario by Go-style ends, byte streams, default streams and
 * the platform's `pipeTo`.
 *
 * `deno task test --file routes_test --runs 5000` for more scenarios than the default, `--seed` and
 * `--path` to play a failure again: fast-check prints both with it. Without the runner these are the
 * variables `ROUTES_RUNS`, `ROUTES_SEED` and `ROUTES_PATH`.
 *
 * @module
 */
import fc from "fast-check";
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";
import { byteStreams, platform, variable } from "../support/environment.ts";
import type { Kind } from "../support/fake_end.ts";
import { watchTimers } from "../support/timers.ts";
import { watchUnhandled } from "../support/unhandled.ts";
import { playScript, playStorm, routes } from "./play.ts";
import { sides } from "../support/sides.ts";
import { type EndTraits, type Kinds, kinds, scripts, type Storm, storms } from "./scenario.ts";

/** Their streams are much like those of Node 26, which plays more. */
const OLDER: readonly string[] = ["node20", "node22", "node24"];
const numRuns = Number(variable("ROUTES_RUNS") ?? (OLDER.includes(platform) ? 25 : 100));
const parameters = {
  numRuns,
  seed: variable("ROUTES_SEED") ? Number(variable("ROUTES_SEED")) : undefined,
  path: variable("ROUTES_PATH"),
};
/** A machine that is slow or busy plays fewer: none is begun after so many milliseconds. */
const budget = 15_000 + numRuns * 100;
const timeout = budget + 60_000;

/** Plays scenarios one after the other, each to its end, as long as there is time. */
async function playMany<T>(
  scenarios: fc.Arbitrary<T>,
  play: (scenario: T, mixed: Kinds, platform: Kinds) => Promise<void>,
): Promise<void> {
  const until = performance.now() + budget;
  await fc.assert(
    fc.asyncProperty(scenarios, kinds, kinds, async (scenario, mixed, platform) => {
      if (performance.now() < until) await play(scenario, mixed, platform);
    }),
    parameters,
  );
}

/** Checks that no rejection goes unhandled, and no timer is left. */
async function tidily(body: () => Promise<void>): Promise<void> {
  const timers = watchTimers();
  const unhandled = watchUnhandled();
  try {
    await body();
    assertEquals(timers.pending.size, 0, "timers left behind");
    await delay(0);
  } finally {
    timers.restore();
    unhandled.restore();
  }
  assertEquals(unhandled.reasons, [], "unhandled rejections");
}

test(
  "every route does what the model predicts",
  { timeout },
  () =>
    playMany(scripts, async (script, mixed, platform) => {
      for (const route of routes(mixed, platform)) {
        await tidily(() => playScript(script, route));
      }
    }),
);

test(
  "no storm breaks what must hold",
  { timeout },
  () =>
    playMany(storms, async (storm, mixed, platform) => {
      for (const route of routes(mixed, platform)) {
        await tidily(async () => void await playStorm(storm, route));
      }
    }),
);

/** Both directions at once, in turns of every length. */
const fixed: Storm = {
  ends: { a: traits({ memory: "keeps", highWaterMark: 3 }), b: traits({ halfCloses: false }) },
  limit: {},
  preventClose: { a: false, b: false },
  timed: true,
  rated: false,
  impatient: false,
  bursts: [
    { from: "a", sizes: [1, 512, 3000] },
    { from: "b", sizes: [700, 0, 12_000], then: "eof" },
    { from: "a", sizes: [5], then: "eof" },
  ],
  faults: [],
};

function traits(own: Partial<EndTraits>): EndTraits {
  return {
    halfCloses: true,
    endFails: false,
    closeFails: false,
    reads: ["macrotask", "now", "microtask"],
    writes: ["now", "microtask", "macrotask"],
    portions: [0.5, 1],
    aborts: true,
    interrupts: true,
    memory: "consumes",
    highWaterMark: 1,
    eager: true,
    fills: true,
    answersAtEnd: false,
    views: false,
    ...own,
  };
}

/** Two ends that cannot half-close: the end of file of one closes both. */
const whole: Storm = {
  ...fixed,
  ends: {
    a: { ...fixed.ends.a, halfCloses: false },
    b: { ...fixed.ends.b, halfCloses: false, aborts: false },
  },
};

const stream: Kind = byteStreams ? "bytes" : "default";

// A test for each route: on a slow machine all of them together take longer than a test may.
for (const route of routes({ a: stream, b: "conn" }, { a: "conn", b: stream })) {
  for (const [storm, ofThese] of [[fixed, ""], [whole, ", of ends that close whole"]] as const) {
    for (const what of ["abort", "failRead", "failWrite", "stall"] as const) {
      for (const side of what === "abort" ? ["a"] as const : sides) {
        const where = what === "abort" ? "" : ` of ${side}`;
        test(`${what} at every event${where}${ofThese}: ${route.name}`, async () => {
          const events = await playStorm(storm, route);
          const every = Array.from({ length: events + 1 }, (_, at) => ({ at, what, side }));
          await tidily(async () => {
            await Promise.all(
              every.map((fault) => playStorm({ ...storm, faults: [fault] }, route)),
            );
          });
        });
      }
    }
  }
}
