/**
 * `deno task bench`: `pipe` against the platform's `pipeTo`, in memory, on every runtime that can be had.
 *
 *     --only deno,bun,node26,chromium   these alone
 *     --rounds 9
 *     --quick                           a short run, to see that it works; its results are a draft
 *     --release                         against the last release instead; exits with 1 if that was faster
 *
 * @module
 */
import { parseArgs } from "node:util";
import { root } from "../../tests/tools/process.ts";
import { machine } from "../report/machine.ts";
import { byFigure } from "../report/markdown.ts";
import { type Figure, type Series, timesAsGood } from "../report/report.ts";
import { type Charts, writeReport } from "../report/write.ts";
import type { Row } from "./bench.ts";
import { figureOf, figureOfWait, sideBySide, sizes } from "./figures.ts";
import { findHost, hosts } from "./hosts.ts";
import { buildProgram } from "./program.ts";
import { findRegressions } from "./regressions.ts";
import type { Wait } from "./waits.ts";

const NATIVE = "pipeTo";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    release: { type: "boolean", default: false },
  },
});
const chosen = options.only?.split(",") ?? hosts;
const rounds = Number(options.rounds ?? (options.quick ? 1 : 9));
const batchMs = options.quick ? 20 : 50;
const waitsMs = options.quick ? 300 : 1000;
if (options.release) await findRegressions(chosen, options.quick ? 1 : 3);
const settings = { rounds, batchMs, warmMs: batchMs * 2, sizes, waitsMs };
const program = await buildProgram({ "": root }, settings);

const report = { name: "memory", date: new Date().toISOString(), rounds, machine: machine() };
const figures: Figure[] = [];
const versions: Record<string, string> = {};
const missing: Record<string, string> = {};
const charts: Record<string, Charts[string]> = {};

console.log(
  "Microseconds a chunk, and milliseconds that others wait; in brackets, how many times as fast as `pipeTo`.",
);
for (const name of chosen) {
  const host = await findHost(name).catch((error: Error) => error);
  if (host instanceof Error) {
    missing[name] = host.message;
    console.log(`\n${name}: not to be had\n${host.message}`);
    continue;
  }
  versions[name] = host.version;
  const group = `${name} ${host.version}`;
  console.log(`\n## ${group}\n`);
  const results = await host.run<Row | Wait>(program);
  const own = results.filter((one) => "size" in one).map((row) => figureOf(group, row));
  const waits = results.filter((one) => "pipes" in one).map((wait) => figureOfWait(group, wait));
  console.log(byFigure(own, beside));
  console.log(`\n${byFigure(waits, beside)}`);
  figures.push(...own, ...waits);
  charts[name] = {
    title: `In memory, ${group}`,
    figures: [...sideBySide(own), ...waits],
    ours: (name) => name.startsWith("pipe,") || name === "pipe",
  };
}
const draft = options.quick || options.only !== undefined;
await writeReport({ ...report, versions, missing, figures }, charts, draft);

function beside(figure: Figure, { name }: Series): number | null {
  return name === NATIVE ? null : timesAsGood(figure, name, NATIVE);
}
