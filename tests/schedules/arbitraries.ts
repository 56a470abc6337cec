/**
 * Random schedules.
 *
 * @module
 */
import fc from "fast-check";
import { runtime } from "../support/environment.ts";
import type { Side } from "../support/sides.ts";
import type { End, Schedule, ScheduleStep, SocketKind } from "./schedule.ts";

/** The kinds that the runtime has; `own`: a `Deno.Conn`, a socket of Bun's. */
export const kinds: readonly SocketKind[] = {
  node: ["node", "node, accepted", "node, own memory"] as const,
  deno: ["own", "own, accepted", "node"] as const,
  bun: ["own", "own, accepted", "node", "node, accepted"] as const,
}[runtime as "node" | "deno" | "bun"];

const MIB = 1024 * 1024;

const on = fc.constantFrom<Side>("a", "b");

/** Small ones for the most part, and what neither a kernel nor a pause of 30 ms is done with. */
const bytes = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 20_000, max: 400_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: MIB, max: 12 * MIB }) },
);
const chunk = fc.constantFrom(1000, 65_536, MIB, 16 * MIB);

function steps<T extends string>(...names: T[]) {
  return fc.record({ do: fc.constantFrom(...names), on });
}

const step: fc.Arbitrary<ScheduleStep> = fc.oneof(
  { weight: 7, arbitrary: fc.record({ do: fc.constant("send" as const), on, bytes, chunk }) },
  { weight: 2, arbitrary: steps("finish") },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("reset" as const, "close" as const, "close" as const),
      on,
      now: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: steps("leave") },
  { weight: 4, arbitrary: steps("pause", "resume") },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 30 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("await" as const), on, bytes }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("abort" as const, "drain" as const) }) },
);

const end: fc.Arbitrary<End> = fc.record({
  kind: fc.constantFrom(...kinds),
  streams: fc.constantFrom(false, false, true),
});

const schedule: fc.Arbitrary<Schedule> = fc.record({
  a: end,
  b: end,
  via: fc.constantFrom("auto", "auto", "auto", "auto", "pipeTo"),
  halfClose: fc.constantFrom("pass", "pass", "pass", "end"),
  impatient: fc.constantFrom(undefined, undefined, undefined, undefined, "a", "b"),
  steps: fc.array(step, { minLength: 1, maxLength: 10 }),
}).map(({ impatient, ...schedule }): Schedule =>
  impatient ? { ...schedule, halfCloseTimeout: 200, silent: impatient } : schedule
);

/** Some that are played at once: most of their time is waiting. */
export const schedules: fc.Arbitrary<Schedule[]> = fc.array(schedule, {
  minLength: 1,
  maxLength: 10,
});
