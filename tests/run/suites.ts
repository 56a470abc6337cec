/**
 * One runtime's run of the tests, file by file.
 *
 * @module
 */
import type { RunOptions, Runtime, Session } from "./runtimes.ts";
import { add, type Tally, tally } from "./tally.ts";

/** Options of {@linkcode runSuite}. */
export interface SuiteOptions extends RunOptions {
  /** Whether a runtime that cannot be had is a failure. */
  readonly requireAll: boolean;
}

/** Runs all test files on a runtime, and shows what those with a failure print. */
export async function runSuite(runtime: Runtime, options: SuiteOptions): Promise<Tally> {
  const start = performance.now();
  const result = tally(runtime.name);
  try {
    const executable = await find(runtime, options, result);
    if (executable !== undefined) await runFiles(runtime, executable, options, result);
  } catch (error) {
    console.log(`${runtime.name} FAILED: ${messageOf(error)}`);
    result.failed++;
  }
  result.seconds = (performance.now() - start) / 1000;
  const { passed, failed, skipped } = result;
  console.log(`${runtime.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  return result;
}

async function find(
  runtime: Runtime,
  { requireAll }: SuiteOptions,
  result: Tally,
): Promise<string | undefined> {
  try {
    return await runtime.executable();
  } catch (error) {
    if (requireAll) throw error;
    console.log(`${runtime.name} skipped: ${messageOf(error)}`);
    result.skipped++;
  }
}

async function runFiles(
  runtime: Runtime,
  executable: string,
  options: SuiteOptions,
  result: Tally,
): Promise<void> {
  const session = await runtime.open(executable, options);
  try {
    for (const file of session.files) await runFile(runtime, session, file, result);
  } finally {
    await session.close();
  }
  const { passed, failed, skipped } = result;
  if (passed + failed + skipped === 0 && !options.variables.TEST_FILTER) {
    throw new Error("no test was run");
  }
}

async function runFile(
  { name }: Runtime,
  session: Session,
  file: string,
  result: Tally,
): Promise<void> {
  const { failure, ...counts } = await session.run(file);
  add(result, counts);
  if (failure) console.log(`\n── ${name} ${file}: ${failure.end} ──\n${failure.output}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
