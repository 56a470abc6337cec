/**
 * The tests as modules for pages and Workers, with the library in them as a page would load it:
 * bundled from its sources.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { transpiled, webTestFiles } from "./files.ts";
import { run } from "../tools/process.ts";

/** Modules that lie as their sources do in `tests`. */
export interface Bundle {
  readonly folder: string;
  /** All of them, as paths from there. */
  readonly modules: readonly string[];
}

const entries = [
  "tests/run/web/page.ts",
  "tests/run/web/worker.ts",
  "tests/workers/message_port_far.ts",
];

/** Bundles the tests into an empty folder. */
export async function buildBundle(folder: string): Promise<Bundle> {
  const { success, output } = await run([
    ...[Deno.execPath(), "bundle", "--platform=browser", "--code-splitting", `--outdir=${folder}`],
    ...[...entries, ...await webTestFiles()],
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
  return { folder, modules };
}

/** The module of a source in `tests`, as a path from the bundle's folder. */
export function moduleOf(file: string): string {
  return transpiled(file).replace(/^tests\//, "");
}
