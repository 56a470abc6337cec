/**
 * `deno task bench`: `pipe` against the platform's `pipeTo`, in memory, on every runtime that can be had.
 *
 *     --only deno,bun,node26,chromium   these alone
 *     --rounds 9
 *     --quick                           a short run, to see that it works; its results are a draft
 *     --release                         against the last release too; exits with 1 if that was faster
 *
 * @module
 */
import { parseArgs } from "node:util";
import { root } from "../../tests/run/process.ts";
import { judge, lastRelease } from "../release.ts";
import { machine } from "../report/machine.ts";
import { byFigure } from "../report/markdown.ts";
import { type Figure, series, timesAsGood } from "../report/report.ts";
import { type Charts, writeReport } from "../report/write.ts";
import type { Row } from "./bench.ts";
import { findHost, hosts } from "./hosts.ts";
import { buildProgram } from "./program.ts";

const NATIVE = "pipeTo";
const SIZES = [64, 1024, 64 * 1024, 1024 * 1024];

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
const release = options.release ? await lastRelease() : undefined;
const program = await buildProgram(
  { "": `${root}/mod.ts`, ...(release && { [release.tag]: `${release.folder}/mod.ts` }) },
  { rounds, batchMs: options.quick ? 20 : 50, sizes: SIZES },
);

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
const draft = options.quick || options.release || options.only !== undefined;
await writeReport({ ...report, versions, missing, figures }, charts, draft);
if (release) judge(figures, release);

function figureOf(group: string, { source, size, micros }: Row): Figure {
  return {
    group,
    title: `${source} source, ${sizeName(size)}`,
    unit: "µs a chunk",
    better: "less",
    series: Object.entries(micros).map(([name, values]) => series(name, values)),
  };
}

/** The two kinds of sources beside each other. */
function sideBySide(figures: readonly Figure[]): Figure[] {
  const half = figures.length / 2;
  return figures.slice(0, half).flatMap((figure, index) => [figure, figures[half + index]!]);
}

function sizeName(size: number): string {
  if (size < 1024) return `${size} B`;
  return size < 1024 * 1024 ? `${size / 1024} KiB` : `${size / 1024 / 1024} MiB`;
}
