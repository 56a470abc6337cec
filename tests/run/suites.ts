/**
 * One runtime's run of the tests: a process for each file, so that one which crashes or hangs costs
 * that file alone.
 *
 * @module
 */
import { denoTestFiles, packageTestFiles } from "./files.ts";
import { count } from "./junit.ts";
import { root, run } from "./process.ts";
import type { Runtime } from "./runtimes.ts";
import { add, type Counts, type Tally, tally } from "./tally.ts";

/** Options of {@linkcode runSuite}. */
export interface SuiteOptions {
  /** Only tests with this in their name; all if empty. */
  filter: string;
  /** Whether a runtime that cannot be had is a failure. */
  requireAll: boolean;
  /** Milliseconds that one file may take. */
  fileTimeout: number;
  /** Gives the folder of the package's project. */
  project: () => Promise<string>;
}

/** Runs all test files on a runtime, and shows what those with a failure print. */
export async function runSuite(runtime: Runtime, options: SuiteOptions): Promise<Tally> {
  const start = performance.now();
  const result = tally(runtime.name);
  try {
    await runFiles(runtime, options, result);
  } catch (error) {
    console.log(`${runtime.name} FAILED: ${error instanceof Error ? error.message : error}`);
    result.failed++;
  }
  result.seconds = (performance.now() - start) / 1000;
  const { passed, failed, skipped } = result;
  console.log(`${runtime.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  return result;
}

async function runFiles(runtime: Runtime, options: SuiteOptions, result: Tally): Promise<void> {
  let executable: string;
  try {
    executable = await runtime.executable();
  } catch (error) {
    if (options.requireAll) throw error;
    console.log(`${runtime.name} skipped: ${error instanceof Error ? error.message : error}`);
    result.skipped++;
    return;
  }
  const cwd = runtime.runsSources ? root : await options.project();
  const files = runtime.runsSources ? await denoTestFiles() : await packageTestFiles();
  for (const file of files) {
    add(result, await runFile(runtime, executable, cwd, file, options));
  }
  if (result.passed + result.failed + result.skipped === 0 && !options.filter) {
    throw new Error("no test was run");
  }
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };

async function runFile(
  runtime: Runtime,
  executable: string,
  cwd: string,
  file: string,
  options: SuiteOptions,
): Promise<Counts> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const { success, end, output } = await run(
    runtime.command(executable, file, report, options.filter),
    { cwd, timeout: options.fileTimeout, env: { TEST_FILTER: options.filter } },
  );

  const xml = await Deno.readTextFile(report);
  await Deno.remove(report);
  const counts = count(xml);
  // Deno reports what the filter leaves out as skipped.
  if (counts && options.filter) counts.skipped = 0;
  if (success && counts?.failed === 0) return counts;
  // A file with no test for this runtime may leave no report.
  if (success && xml === "") return none;

  const how = counts ? end : `${end}, without a whole report`;
  console.log(`\n── ${runtime.name} ${file}: ${how} ──`);
  console.log(`${counts ? output.replace(runtime.passed, "").trim() : output}\n`);
  const { passed, failed, skipped } = counts ?? none;
  // It failed otherwise than by a test: did not load, crashed, was killed.
  return { passed, failed: Math.max(failed, 1), skipped };
}
