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
import { root } from "../../tests/run/process.ts";
import { machine } from "../report/machine.ts";
import { byFigure } from "../report/markdown.ts";
import { type Figure, timesAsGood } from "../report/report.ts";
import { type Charts, writeReport } from "../report/write.ts";
import { figureOf, sideBySide, sizes } from "./figures.ts";
import { findHost, hosts } from "./hosts.ts";
import { buildProgram } from "./program.ts";
import { findRegressions } from "./regressions.ts";

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
if (options.release) await findRegressions(chosen, options.quick ? 1 : 3);
const program = await buildProgram({ "": root }, { rounds, batchMs, warmMs: batchMs * 2, sizes });

const report = { name: "memory", date: new Date().toISOString(), rounds, machine: machine() };
const figures: Figure[] = [];
const versions: Record<string, string> = {};
const missing: Record<string, string> = {};
const charts: Record<string, Charts[string]> = {};

console.log("Microseconds a chunk; in brackets, how many times as fast as `pipeTo`.");
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
  const own = (await host.run(program)).map((row) => figureOf(group, row));
  console.log(byFigure(own, (figure, { name }) => {
    return name === NATIVE ? null : timesAsGood(figure, name, NATIVE);
  }));
  figures.push(...own);
  charts[name] = {
    title: `In memory, ${group}`,
    figures: sideBySide(own),
    ours: (name) => name.startsWith("pipe,") || name === "pipe",
  };
}
const draft = options.quick || options.only !== undefined;
await writeReport({ ...report, versions, missing, figures }, charts, draft);
