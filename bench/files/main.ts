/**
 * `deno task bench:files`: a file of 256 MiB copied to another by Node's streams, with `pipe` and the
 * adapters, with `stream.pipeline`, and with `pipeTo` and `toWeb`, on Deno, Bun and Node.
 *
 *     --only deno,bun,node26   these alone
 *     --rounds 5
 *     --quick                  one round, to see that it works; the results are a draft
 *
 * @module
 */
import { parseArgs } from "node:util";
import { root, run } from "../../tests/tools/process.ts";
import { executableOf } from "../../tests/tools/executables.ts";
import { machine, versionOf } from "../report/machine.ts";
import { byContender } from "../report/markdown.ts";
import { type Figure, series, timesAsGood } from "../report/report.ts";
import { writeReport } from "../report/write.ts";

const BYTES = 256 * 1024 * 1024;
const BASE = "stream.pipeline";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string", default: "deno,bun,node26" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
const report = { name: "files", date: new Date().toISOString(), rounds, machine: machine() };
const versions: Record<string, string> = {};
const missing: Record<string, string> = {};
const figures: Figure[] = [];

const folder = await Deno.makeTempDir();
try {
  const program = `${folder}/program.mjs`;
  const { success, output } = await run([
    ...[Deno.execPath(), "bundle", "--quiet", `--output=${program}`],
    `${root}/bench/files/program.ts`,
  ]);
  if (!success) throw new Error(`deno bundle failed\n${output}`);
  const file = await Deno.create(`${folder}/from`);
  for (let left = BYTES; left > 0;) left -= await file.write(new Uint8Array(1024 * 1024));
  file.close();
  for (const name of options.only.split(",")) {
    try {
      const executable = await executableOf(name);
      versions[name] = await versionOf(executable);
      const flags = name === "deno" ? ["run", "-A"] : [];
      figures.push(...await bench(name, [executable, ...flags, program]));
    } catch (error) {
      missing[name] = (error as Error).message;
      console.log(`${name}: ${missing[name]}`);
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(`\nIn brackets: how many times as good as ${BASE}.\n`);
console.log(byContender(figures, (figure, { name }) => {
  return name === BASE ? null : timesAsGood(figure, name, BASE);
}));
const charts = {
  "": {
    title: "A file to a file by Node's streams",
    figures,
    ours: (name: string) => name.startsWith("pipe,"),
  },
};
await writeReport({ ...report, versions, missing, figures }, charts, options.quick);

async function bench(name: string, command: string[]): Promise<Figure[]> {
  const values = new Map<string, Map<string, number[]>>();
  for (let round = 0; round < rounds; round++) {
    const { success, end, output } = await run([...command, `${folder}/from`, `${folder}/to`]);
    if (!success) throw new Error(`${end}\n${output}`);
    for (const line of output.trim().split("\n")) {
      const { title, way, ms }: { title: string; way: string; ms: number } = JSON.parse(line);
      const ways = values.get(title) ?? new Map<string, number[]>();
      values.set(title, ways.set(way, [...ways.get(way) ?? [], ms]));
    }
  }
  return [...values].map(([title, ways]) => ({
    group: `${name} ${versions[name]}`,
    title,
    unit: "ms",
    better: "less" as const,
    series: [...ways].map(([way, all]) => series(way, all)),
  }));
}
