/**
 * `deno task bench`: runs memory.ts on Deno, Bun and Node 26, each if it can be had, and prints how
 * many times as fast `pipe` is as `pipeTo`.
 *
 *     --only deno,bun,node26   these alone
 */
import { parseArgs } from "node:util";
import { root, run } from "../tests/run/process.ts";
import { type Runtime, runtimes } from "../tests/run/runtimes.ts";
import type { Row } from "./memory.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { only: { type: "string", default: "deno,bun,node26" } },
});
const chosen = values.only.split(",");
const bundle = `${root}/.cache/bench/memory.js`;

// Bun and Node have no import map; a bundle also times the same code on all of them.
await Deno.mkdir(`${root}/.cache/bench`, { recursive: true });
const { success, output } = await run([
  ...[Deno.execPath(), "bundle", "--quiet", "--external=bun:*"],
  ...[`--output=${bundle}`, `${root}/bench/memory.ts`],
]);
if (!success) throw new Error(`deno bundle failed\n${output}`);

console.log("Microseconds a chunk; in brackets, how many times as fast as `pipeTo`.");
for (const runtime of runtimes) if (chosen.includes(runtime.name)) await bench(runtime);

async function bench(runtime: Runtime): Promise<void> {
  let executable: string;
  try {
    executable = await runtime.executable();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return console.log(`\n${runtime.name}: not to be had here\n${why}`);
  }
  const version = (await run([executable, "--version"])).output.split("\n")[0]!;
  console.log(`\n## ${version.startsWith("deno") ? version : `${runtime.name} ${version}`}\n`);
  const command = runtime.name === "deno"
    ? [executable, "run", "-A", bundle]
    : [executable, bundle];
  const child = await run(command);
  if (!child.success) throw new Error(`${command.join(" ")}: ${child.end}\n${child.output}`);
  print(child.output.trim().split("\n").map((line) => JSON.parse(line)));
}

function print(rows: Row[]): void {
  const names = Object.keys(rows[0]!.micros);
  console.log(`| source | chunk | ${names.map((name) => `\`${name}\``).join(" | ")} |`);
  console.log(`|---|--:|${names.map(() => "--:|").join("")}`);
  for (const { source, size, micros } of rows) {
    const cells = Object.entries(micros).map(([name, time]) =>
      time.toFixed(2) + (name === "pipeTo" ? "" : ` (${(micros.pipeTo! / time).toFixed(2)})`)
    );
    console.log(`| ${source} | ${sizeName(size)} | ${cells.join(" | ")} |`);
  }
}

function sizeName(size: number): string {
  if (size < 1024) return `${size} B`;
  return size < 1024 * 1024 ? `${size / 1024} KiB` : `${size / 1024 / 1024} MiB`;
}
