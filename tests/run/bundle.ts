/**
 * The tests as modules for pages and Workers, with the library in them as a page would load it:
 * bundled from its sources.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { webTestFiles } from "./files.ts";
import { run } from "./process.ts";

/** Modules that lie as their sources do in `tests`. */
export interface Bundle {
  readonly folder: string;
  /** All of them, and those that are tests, from there. */
  readonly modules: readonly string[];
  readonly tests: readonly string[];
}

const entries = [
  "tests/run/web/page.ts",
  "tests/run/web/worker.ts",
  "tests/workers/message_port_far.ts",
];

/** Bundles the tests into an empty folder. */
export async function buildBundle(folder: string): Promise<Bundle> {
  const tests = await webTestFiles();
  const { success, output } = await run([
    ...[Deno.execPath(), "bundle", "--platform=browser", "--code-splitting", `--outdir=${folder}`],
    ...[...entries, ...tests],
  ]);
  if (!success) throw new Error(`deno bundle failed\n${output}`);
  const modules = (await readdir(folder, { recursive: true })).filter((name) =>
    name.endsWith(".js")
  );
  for (const module of modules) {
    const [, name] = (await Deno.readTextFile(`${folder}/${module}`))
      .match(/^(?:import|export)\b[^"]*"(\w+:[^"]+)"/m) ?? [];
    if (name) {
      throw new Error(`${module} imports '${name}': its file is to be called …_node_test.ts`);
    }
  }
  return {
    folder,
    modules,
    tests: tests.map((path) => path.replace(/^tests\/(.*)ts$/, "$1js")),
  };
}
