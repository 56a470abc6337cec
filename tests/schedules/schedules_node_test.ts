/**
 * Joins of real TCP connections whose peers, in another process, do what comes to their mind: send,
 * half-close, reset, close, stall, leave; with the caller's signals in between.
 *
 * `SCHEDULE_RUNS=500` for more of them than the default, of up to ten joins at once each, `SCHEDULE_SEED` and `SCHEDULE_PATH` to play
 * a failure again: fast-check prints both with it. What a kernel does is a matter of time as well, so
 * that it may take several times.
 *
 * @module
 */
import fc from "fast-check";
import { test } from "../harness.ts";
import { schedules } from "./arbitraries.ts";
import { Peers } from "./client.ts";
import { play } from "./play.ts";
import { variable } from "../support/environment.ts";

const numRuns = Number(variable("SCHEDULE_RUNS") ?? 10);
const parameters = {
  numRuns,
  seed: variable("SCHEDULE_SEED") ? Number(variable("SCHEDULE_SEED")) : undefined,
  path: variable("SCHEDULE_PATH"),
  // So that a failure that takes long to shrink is told all the same.
  interruptAfterTimeLimit: 60_000 + numRuns * 10_000,
};
const timeout = parameters.interruptAfterTimeLimit + 60_000;

test("no schedule of two peers breaks what must hold", { timeout }, async () => {
  await using peers = await Peers.start();
  const words: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(schedules, async (some) => {
      for (const word of await play(some, peers)) words[word] = (words[word] ?? 0) + 1;
    }),
    parameters,
  );
  if (variable("SCHEDULE_RUNS")) console.log(JSON.stringify(words));
});
