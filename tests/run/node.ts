/**
 * Node on the npm package: a process for each file.
 *
 * @module
 */
import { executableOf } from "../tools/executables.ts";
import { nodeTestFiles, transpiled } from "./files.ts";
import { TICK } from "./node/tick.ts";
import { NODE_VERSIONS } from "../tools/npm.ts";
import { run } from "../tools/process.ts";
import { FileRun } from "./progress.ts";
import type { FileResult, RunOptions, TestedRuntime } from "./runtimes.ts";

/** The versions that are supported. */
export const nodes: readonly TestedRuntime[] = NODE_VERSIONS.map((major) => {
  const name = `node${major}`;
  return {
    name,
    executable: () => executableOf(name),
    files: nodeTestFiles,
    async open(executable, options) {
      const cwd = await options.project();
      return {
        run: (file) => runFile(executable, cwd, file, options),
        close: () => Promise.resolve(),
      };
    },
  };
});

async function runFile(
  executable: string,
  cwd: string,
  file: string,
  { fileTimeout, variables }: RunOptions,
): Promise<FileResult> {
  const report = await Deno.makeTempFile({ suffix: ".jsonl" });
  const { success, end, output } = await run(
    [executable, "--enable-source-maps", "tests/run/node/main.js", transpiled(file), report],
    { cwd, timeout: fileTimeout, untilSilent: true, env: variables },
  );
  const fileRun = new FileRun();
  const told = (await Deno.readTextFile(report)).split("\n").filter((line) => line !== "");
  await Deno.remove(report);
  for (const line of told) fileRun.add(JSON.parse(line));
  fileRun.print(output.replaceAll(TICK, ""));
  return fileRun.result(success && fileRun.isDone ? undefined : success ? "broke off" : end);
}
