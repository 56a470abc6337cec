/**
 * `deno task bench:threads`: bytes that go to a worker in 64 KiB chunks, by `fromMessagePort` and by a stream
 * that is transferred, where the runtime has that.
 *
 *     --only deno,bun,node26   these alone
 *     --rounds 5
 *     --quick                  one short round, to see that it works; its results are a draft
 *
 * @module
 */
import { parseArgs } from "node:util";
import { root, run } from "../../tests/tools/process.ts";
import { executableOf } from "../../tests/tools/executables.ts";
import { machine, versionOf } from "../report/machine.ts";
import { byContender } from "../report/markdown.ts";
import { type Figure, series } from "../report/report.ts";
import { type Charts, writeReport } from "../report/write.ts";
import type { Moved } from "./program.ts";

const CHUNK = 64 * 1024;

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string", default: "deno,bun,node26" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
const bytes = options.quick ? 200e6 : 2e9;
const report = { name: "threads", date: new Date().toISOString(), rounds, machine: machine() };
const program = await build("program");
await build("worker");
const versions: Record<string, string> = {};
const missing: Record<string, string> = {};
const figures: Figure[] = [];
for (const name of options.only.split(",")) {
  const executable = await executableOf(name);
  versions[name] = await versionOf(executable);
  const command = [executable, ...name === "deno" ? ["run", "-A"] : [], program];
  const moved = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { way, gbPerSecond } of await lines([...command, `${bytes}`, `${CHUNK}`])) {
      if (gbPerSecond === undefined) missing[`${name}: ${way}`] = "not on this runtime";
      else moved.set(way, [...moved.get(way) ?? [], gbPerSecond]);
    }
  }
  const figure: Figure = {
    group: `${name} ${versions[name]}`,
    title: "To a worker, chunks of 64 KiB",
    unit: "GB/s",
    better: "more",
    series: [...moved].map(([way, values]) => series(way, values)),
  };
  figures.push(figure);
  console.log(`\n## ${figure.group}\n\n${byContender([figure], () => null)}`);
}
const charts: Charts = {
  "": { title: "Bytes to a worker", figures, ours: (name) => name.startsWith("join") },
};
await writeReport({ ...report, versions, missing, figures }, charts, options.quick);

async function lines(command: string[]): Promise<Moved[]> {
  const { success, end, output } = await run(command, { timeout: 600_000 });
  if (!success) throw new Error(`${command.join(" ")}: ${end}\n${output}`);
  return output.trim().split("\n").map((line) => JSON.parse(line));
}

/** Bundled: Bun and Node have no import map. */
async function build(name: string): Promise<string> {
  const bundle = `${root}/.cache/bench/threads_${name}.js`;
  await Deno.mkdir(`${root}/.cache/bench`, { recursive: true });
  const { success, output } = await run([
    ...[Deno.execPath(), "bundle", "--quiet", `--output=${bundle}`],
    `${root}/bench/threads/${name}.ts`,
  ]);
  if (!success) throw new Error(`deno bundle failed\n${output}`);
  return bundle;
}
