/**
 * `deno task bench:setup`: CPU that a join of one byte in memory takes, set up and torn down, and what a
 * million of them leave behind. Exits with 1 if anything grows.
 *
 *     --only deno,bun,node26   these alone
 *     --rounds 5               of the first part
 *     --joins 1000000          of the second part
 *     --quick                  few of both, to see that it works; the results are a draft
 *
 * @module
 */
import { parseArgs } from "node:util";
import { root, run } from "../../tests/tools/process.ts";
import { executableOf } from "../../tests/tools/executables.ts";
import { machine, versionOf } from "../report/machine.ts";
import { byContender } from "../report/markdown.ts";
import { type Figure, series } from "../report/report.ts";
import { shown } from "../report/statistics.ts";
import { type Charts, writeReport } from "../report/write.ts";
import type { Slope, Standing } from "./program.ts";

const SLOPE_JOINS = 100_000;
/** What the heap may differ by without having grown: compiled code, and what is yet to be collected. */
const HEAP_MIB = 2;

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string", default: "deno,bun,node26" },
    rounds: { type: "string" },
    joins: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
const joins = Number(options.joins ?? (options.quick ? 20_000 : 1_000_000));
const flags: Record<string, string[]> = {
  deno: ["run", "-A", "--v8-flags=--expose-gc"],
  node26: ["--expose-gc"],
  bun: [],
};

const report = { name: "setup", date: new Date().toISOString(), rounds, machine: machine() };
const program = await build();
const versions: Record<string, string> = {};
const missing: Record<string, string> = {};
const figures: Figure[] = [];
const grown: string[] = [];
for (const name of options.only.split(",")) {
  try {
    const executable = await executableOf(name);
    versions[name] = await versionOf(executable);
    await bench(name, [executable, ...flags[name]!, program]);
  } catch (error) {
    missing[name] = (error as Error).message;
    console.log(`${name}: ${missing[name]}`);
  }
}
const charts: Charts = {
  "": {
    title: "A join of one byte in memory, set up and torn down",
    figures: figures.filter(({ title }) => title === "CPU"),
    ours: (name) => name.startsWith("join"),
  },
};
await writeReport({ ...report, versions, missing, figures }, charts, options.quick);
if (grown.length > 0) {
  console.log(`\nGrown:\n${grown.map((line) => `- ${line}`).join("\n")}`);
  Deno.exit(1);
}

async function bench(name: string, command: string[]): Promise<void> {
  console.log(`\n## ${name} ${versions[name]}\n`);
  const slopes = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { way, micros } of await lines<Slope>([...command, "slope", `${SLOPE_JOINS}`])) {
      slopes.set(way, [...slopes.get(way) ?? [], micros]);
    }
  }
  const cpu: Figure = {
    group: `${name} ${versions[name]}`,
    title: "CPU",
    unit: "µs a join",
    better: "less",
    series: [...slopes].map(([way, values]) => series(way, values)),
  };
  figures.push(cpu);
  console.log(byContender([cpu], () => null));
  const [before, after] = await lines<Standing>([...command, "leaks", `${joins}`]);
  console.log(`\n| ${joins} joins | before | after |\n| --- | --: | --: |`);
  for (const what of ["heapMib", "rssMib", "resources", "descriptors", "listeners"] as const) {
    const [old, now] = [before![what], after![what]];
    if (old === null || now === null) {
      console.log(`| ${what} | not told | not told |`);
      continue;
    }
    console.log(`| ${what} | ${shown(old)} | ${shown(now)} |`);
    figures.push({
      group: cpu.group,
      title: `${what}, ${joins} joins`,
      unit: what.endsWith("Mib") ? "MiB" : "",
      better: "less",
      series: [series("before", [old]), series("after", [now])],
    });
    // What is resident is the allocator's affair.
    const allowed = what === "heapMib" ? HEAP_MIB : what === "rssMib" ? Infinity : 0;
    if (now > old + allowed) grown.push(`${cpu.group}, ${what}: ${shown(old)} to ${shown(now)}`);
  }
}

async function lines<T>(command: string[]): Promise<T[]> {
  const { success, end, output } = await run(command, { timeout: 3_600_000 });
  if (!success) throw new Error(`${command.join(" ")}: ${end}\n${output}`);
  return output.trim().split("\n").map((line) => JSON.parse(line));
}

/** Bundled: Bun and Node have no import map. */
async function build(): Promise<string> {
  const folder = `${root}/.cache/bench`;
  await Deno.mkdir(folder, { recursive: true });
  const bundle = `${folder}/setup.js`;
  const { success, output } = await run([
    ...[Deno.execPath(), "bundle", "--quiet", `--output=${bundle}`],
    `${root}/bench/setup/program.ts`,
  ]);
  if (!success) throw new Error(`deno bundle failed\n${output}`);
  return bundle;
}
