/**
 * `deno task size`: bytes of each entry, bundled, minified and compressed as a page would load it. Of an
 * adapter that is what it adds to a page that has the core already, as none is of use without.
 *
 * @module
 */
import { brotliCompressSync } from "node:zlib";
import config from "../deno.json" with { type: "json" };
import { root } from "../tests/tools/process.ts";

const KIB = 1024;
const { ".": main, "./forward": _program, ...adapters } = config.exports;

const core = await size([main]);
console.log(row("entry", "minified", "brotli", "aim"));
console.log(row("core", core.minified, core.brotli, aim(core.brotli, 5 * KIB)));
for (const [name, path] of Object.entries(adapters)) {
  const both = await size([main, path]);
  const added = { minified: both.minified - core.minified, brotli: both.brotli - core.brotli };
  console.log(row(`+ ${name}`, added.minified, added.brotli, aim(added.brotli, 2 * KIB)));
}

async function size(entries: string[]): Promise<{ minified: number; brotli: number }> {
  const folder = await Deno.makeTempDir();
  try {
    const entry = `${folder}/entry.ts`;
    const lines = entries.map((path) => `export * from ${JSON.stringify(`${root}/${path}`)};`);
    await Deno.writeTextFile(entry, lines.join("\n"));
    const output = `${folder}/bundle.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--minify", "--platform=browser", "-o", output, entry],
      cwd: root,
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const minified = await Deno.readFile(output);
    return { minified: minified.length, brotli: brotliCompressSync(minified).length };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What it should be at most, and whether it is. */
function aim(brotli: number, most: number): string {
  return `${most}${brotli > most ? " missed" : ""}`;
}

function row(name: string, ...cells: (string | number)[]): string {
  return name.padEnd(16) + cells.map((cell) => `${cell}`.padStart(12)).join("");
}
