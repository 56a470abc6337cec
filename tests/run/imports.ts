/**
 * Holds the import order of src: {@linkcode LAYERS}, top to bottom. A file imports from its own layer or
 * from one below, and no file imports itself through others. Run by `deno task test --only checks`.
 *
 * @module
 */

/** Every file of src, without `.ts`; a name that ends with `/` stands for all further ones below it. */
const LAYERS: readonly (readonly string[])[] = [
  // The forwarder's program: its command line, log and live line.
  ["forward/main"],
  ["forward/cli/program"],
  ["forward/cli/"],
  // The forwarder: of several workers, each of which is a forwarder of one thread.
  ["forward/forward"],
  ["forward/workers_forwarder"],
  ["forward/worker"],
  ["forward/thread_forwarder"],
  // One connection of the forwarder, and where connections come from.
  ["forward/session", "forward/accept_loop"],
  ["forward/dial", "forward/outcome"],
  ["forward/loop_guard"],
  ["forward/listen"],
  ["forward/"],
  // Platforms' own objects made into ends, by way of their events.
  ["adapters/"],
  ["adapters/events/"],
  // The package's main entry.
  ["../mod"],
  ["through"],
  // Both directions.
  ["join/"],
  // One direction, and what makes or wraps ends.
  ["pipe/", "duplex", "unread", "memory_pair", "byte_counter"],
  // What moves the chunks of one direction.
  ["core/"],
  ["buffer_pool"],
  // Public words.
  ["errors", "reason"],
  // What refuses bad input.
  ["check/"],
  ["ends", "counts"],
];

const src = new URL("../../src/", import.meta.url);
const found: string[] = [];
const done = new Set<string>();

function* filesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, src))) {
    if (isDirectory) yield* filesIn(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield folder + name.slice(0, -".ts".length);
  }
}

function layerOf(file: string): number {
  for (let name = file; name; name = name.replace(/[^/]*\/?$/, "")) {
    const layer = LAYERS.findIndex((layer) => layer.includes(name));
    if (layer >= 0) return layer;
  }
  return -1;
}

/** What a file imports, exports again, or starts as a worker. */
function importsOf(file: string): Set<string> {
  const url = new URL(`${file}.ts`, src);
  const matches = Deno.readTextFileSync(url)
    .matchAll(/(?:from |import |import\(\s*|new URL\(\s*)"(\.[^"]+)\.ts"/g);
  return new Set(matches.map(([, path]) => new URL(path!, url).href.slice(src.href.length)));
}

function visit(file: string, path: readonly string[]): void {
  const start = path.indexOf(file);
  if (start >= 0) found.push(`A circle: ${[...path.slice(start), file].join(" > ")}`);
  if (done.has(file)) return;
  done.add(file);
  if (layerOf(file) < 0) found.push(`${file} is in no layer: give it a place in LAYERS`);
  for (const imported of importsOf(file)) {
    if (layerOf(imported) < layerOf(file)) {
      found.push(`${file} imports ${imported}, of a layer above`);
    }
    visit(imported, [...path, file]);
  }
}

for (const file of ["../mod", ...filesIn("")]) visit(file, []);
for (const name of LAYERS.flat()) {
  if (!name.endsWith("/") && !done.has(name)) {
    found.push(`LAYERS names ${name}, which is not there`);
  }
}
for (const breach of found) console.error(breach);
Deno.exit(found.length === 0 ? 0 : 1);
