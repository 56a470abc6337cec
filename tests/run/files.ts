/**
 * Which files are tests, and which of them are for every runtime.
 *
 * @module
 */
import { root } from "./process.ts";

const notTests = ["tests/run", "tests/std_assert"];

/** The test files for Deno, from the project's root. */
export async function denoTestFiles(): Promise<string[]> {
  return (await list("tests")).filter((file) => file.endsWith("_test.ts"));
}

/** Everything below `tests` that tests for every runtime may need: tests, helpers, data. */
export async function testSources(): Promise<string[]> {
  return (await list("tests")).filter((file) => !file.endsWith("_deno_test.ts"));
}

/** The test files for every runtime, as they are called in the package's project. */
export async function packageTestFiles(): Promise<string[]> {
  return (await testSources())
    .filter((file) => file.endsWith("_test.ts"))
    .map((file) => file.replace(/ts$/, "js"));
}

async function list(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (notTests.includes(path)) continue;
    if (isDirectory) files.push(...await list(path));
    else files.push(path);
  }
  return files.sort();
}
