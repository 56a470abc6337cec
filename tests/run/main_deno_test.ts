/**
 * The test runner itself: what it says where no test is asked for.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "../harness.ts";
import { run, type RunResult } from "../tools/process.ts";
import { runtimes } from "./runtimes.ts";

const runner = (...flags: string[]): Promise<RunResult> =>
  run([Deno.execPath(), "run", "-A", "--no-check", "tests/run/main.ts", ...flags]);

test("a file has the same path on every runtime", async () => {
  for (const { name, files } of runtimes) {
    assertEquals((await files()).includes("tests/core/turns_test.ts"), true, name);
  }
});

test("--file and --filter choose tests", async () => {
  const { success, output } = await runner(
    ...["--only", "deno", "--file", "./tests/check/bytes_test.ts", "--filter", "always has room"],
  );
  assertEquals(success, true, output);
  assertStringIncludes(output, "1 passed, 0 failed");
});

test("a --file that no path has in it is a failure, and said so", async () => {
  const { end, output } = await runner("--only", "deno,bun", "--file", "tests/no_such_folder/");
  assertEquals(end, "exit code 1");
  assertStringIncludes(output, "No test file of deno, bun has 'tests/no_such_folder/' in its path");
});

test("a --file of another runtime is a failure, and said so", async () => {
  const { end, output } = await runner("--only", "bun", "--file", "tests/run/main_deno_test.ts");
  assertEquals(end, "exit code 1");
  assertStringIncludes(output, "No test file of bun has");
});

test("a --filter that no name has in it is a failure, and said so", async () => {
  const { end, output } = await runner(
    ...["--only", "deno", "--file", "tests/check/bytes_test.ts", "--filter", "no such test"],
  );
  assertEquals(end, "exit code 1");
  assertStringIncludes(output, "No test has 'no such test' in its name");
});
