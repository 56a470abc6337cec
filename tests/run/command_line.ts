/**
 * Runtimes with a test runner of their own: a process for each file, which writes a JUnit report.
 *
 * @module
 */
import { executableOf } from "../tools/executables.ts";
import { denoTestFiles, nodeTestFiles, transpiled } from "./files.ts";
import { count } from "./junit.ts";
import { nodes } from "./node.ts";
import { root, run } from "../tools/process.ts";
import type { FileResult, RunOptions, Session, TestedRuntime } from "./runtimes.ts";

interface CommandLine {
  readonly name: string;
  /** Whether it runs the sources as they are, rather than the npm package. */
  readonly runsSources: boolean;
  /** The command line that runs one test file and writes a JUnit report. */
  command(executable: string, file: string, report: string, filter: string): string[];
  /** What its output says of a test that passed. */
  readonly passed: RegExp;
}

const deno: CommandLine = {
  name: "deno",
  runsSources: true,
  command: (executable, file, report, filter) => [
    ...[executable, "test", "-A", "--no-check", `--junit-path=${report}`],
    ...(filter ? [`--filter=${filter}`] : []),
    file,
  ],
  passed: /^.* \.\.\. ok \(.*\)\n/gm,
};

const bun: CommandLine = {
  name: "bun",
  runsSources: false,
  command: (executable, file, report) => [
    ...[executable, "test", "--reporter=junit", `--reporter-outfile=${report}`],
    `./${transpiled(file)}`,
  ],
  passed: /^\(pass\) .*\n/gm,
};

/** Deno on the sources, Node and Bun on the npm package. */
export const commandLines: readonly TestedRuntime[] = [of(deno), ...nodes, of(bun)];

function of(one: CommandLine): TestedRuntime {
  return {
    name: one.name,
    files: one.runsSources ? denoTestFiles : nodeTestFiles,
    executable: () => executableOf(one.name),
    open: (executable, options) => open(one, executable, options),
  };
}

async function open(
  runtime: CommandLine,
  executable: string,
  options: RunOptions,
): Promise<Session> {
  const cwd = runtime.runsSources ? root : await options.project();
  return {
    run: (file) => runFile(runtime, executable, cwd, file, options),
    close: () => Promise.resolve(),
  };
}

async function runFile(
  runtime: CommandLine,
  executable: string,
  cwd: string,
  file: string,
  { fileTimeout, variables }: RunOptions,
): Promise<FileResult> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const { TEST_FILTER: filter = "" } = variables;
  const { success, end, output } = await run(
    runtime.command(executable, file, report, filter),
    { cwd, timeout: fileTimeout, untilSilent: true, env: variables },
  );

  const xml = await Deno.readTextFile(report);
  await Deno.remove(report);
  const counts = count(xml);
  // Deno reports what the filter leaves out as skipped.
  if (counts && filter) counts.skipped = 0;
  if (success && counts?.failed === 0) return counts;
  // A file with no test for this runtime may leave no report.
  if (success && xml === "") return { passed: 0, failed: 0, skipped: 0, times: [] };

  const { passed = 0, failed = 0, skipped = 0, times = [] } = counts ?? {};
  return {
    passed,
    // It failed otherwise than by a test: did not load, crashed, was killed.
    failed: Math.max(failed, 1),
    skipped,
    times,
    failure: {
      end: counts ? end : `${end}, without a whole report`,
      output: counts ? output.replace(runtime.passed, "").trim() : output,
    },
  };
}
