/**
 * The runtimes that the bench runs on: command lines, and Chromium with a page.
 *
 * @module
 */
import { run } from "../../tests/tools/process.ts";
import { executableOf } from "../../tests/tools/executables.ts";
import { servePage } from "../page.ts";
import { versionOf } from "../report/machine.ts";

/** Those there are. */
export const hosts = ["deno", "bun", "node26", "chromium"] as const;

/** One of them, found. */
export interface Host {
  readonly version: string;
  /** Runs the program to its end; resolves to what it has told. */
  run<Result>(program: string): Promise<Result[]>;
}

/** Rejects if it cannot be had. */
export async function findHost(name: string): Promise<Host> {
  const executable = await executableOf(name);
  const command = name === "deno" ? [executable, "run", "-A"] : [executable];
  return {
    version: await versionOf(executable),
    run: name === "chromium"
      ? (program) => runInPage(executable, program)
      : (program) => runCommand([...command, program]),
  };
}

async function runCommand<Result>(command: string[]): Promise<Result[]> {
  const { success, end, output } = await run(command, { timeout: 1_800_000 });
  if (!success) throw new Error(`${command.join(" ")}: ${end}\n${output}`);
  return output.trim().split("\n").map((line) => JSON.parse(line));
}

async function runInPage<Result>(executable: string, program: string): Promise<Result[]> {
  const results: Result[] = [];
  await servePage(executable, program, (path, body) => {
    if (path === "/result") results.push(JSON.parse(body));
  });
  return results;
}
