/**
 * Which files are tests, and on which runtimes: `_deno_test.ts` on Deno alone, `_node_test.ts`
 * wherever there are Node's modules, any other `_test.ts` everywhere. A file has one name on all of
 * them: the path of its source, `tests/core/turns_test.ts`.
 *
 * @module
 */
import { root } from "../tools/process.ts";

/** What tests on other runtimes need nothing of: the runner, and what drives browsers for it. */
const OURS = [
  "tests/run/",
  "tests/std_assert/",
  "tests/tools/puppeteer.ts",
  "tests/tools/webkit.ts",
];

/** The test files for Deno, from the project's root. */
export async function denoTestFiles(): Promise<string[]> {
  return (await list("tests")).filter((file) => file.endsWith("_test.ts"));
}

/** Everything below `tests` that tests for every runtime may need: tests, helpers, data. */
export async function testSources(): Promise<string[]> {
  return (await list("tests")).filter((file) =>
    !file.endsWith("_deno_test.ts") && !OURS.some((folder) => file.startsWith(folder))
  );
}

/** The test files for pages and Workers, from the project's root. */
export async function webTestFiles(): Promise<string[]> {
  // The forwarder is a program for Deno.
  return (await denoTestFiles()).filter((file) =>
    !/_(deno|node)_test\.ts$/.test(file) && !file.startsWith("tests/forward/")
  );
}

/** The test files for every runtime with Node's modules, from the project's root. */
export async function nodeTestFiles(): Promise<string[]> {
  return (await testSources()).filter((file) => file.endsWith("_test.ts"));
}

/** What a source is called once it is transpiled. */
export function transpiled(file: string): string {
  return file.replace(/ts$/, "js");
}

/** Every file below a folder, but for declarations. */
export async function list(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) files.push(...await list(path));
    else if (name.endsWith(".d.ts")) continue;
    else files.push(path);
  }
  return files.sort();
}
