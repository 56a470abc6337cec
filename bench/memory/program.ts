/**
 * The bench as one module for every runtime: Bun, Node and pages have no import map, and the same code is
 * timed on all of them.
 *
 * @module
 */
import { root, run } from "../../tests/tools/process.ts";
import type { Settings } from "./bench.ts";

/**
 * Bundles the rounds with the library, once for each folder that one of it lies in, by what its contenders
 * are marked with; resolves to the path.
 */
export async function buildProgram(
  folders: Readonly<Record<string, string>>,
  settings: Settings,
): Promise<string> {
  const libraries = Object.entries(folders);
  const folder = `${root}/.cache/bench`;
  await Deno.mkdir(folder, { recursive: true });
  const lines = [
    `import { bench } from ${JSON.stringify(`${root}/bench/memory/bench.ts`)};`,
    ...libraries.map(([, folder], index) =>
      `import * as library${index} from ${JSON.stringify(`${folder}/mod.ts`)};`
    ),
    `const libraries = {${
      libraries.map(([mark], index) => `${JSON.stringify(mark)}: library${index}`).join(", ")
    }};`,
    `const send = (path, body) => fetch(path, { method: "POST", body });`,
    `const inPage = "document" in globalThis;`,
    `const tell = (result) => {`,
    `  const line = JSON.stringify(result);`,
    `  return inPage ? send("/result", line) : console.log(line);`,
    `};`,
    `const all = bench(libraries, ${JSON.stringify(settings)}, tell);`,
    `if (inPage) all.then(() => send("/done", ""), (error) => send("/done", String(error)));`,
    `else await all;`,
  ];
  const entry = `${folder}/memory_entry.js`;
  await Deno.writeTextFile(entry, lines.join("\n"));
  const bundle = `${folder}/memory.js`;
  const { success, output } = await run([
    ...[Deno.execPath(), "bundle", "--quiet", "--platform=browser", `--output=${bundle}`, entry],
  ]);
  if (!success) throw new Error(`deno bundle failed\n${output}`);
  return bundle;
}
