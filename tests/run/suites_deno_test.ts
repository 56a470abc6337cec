/** How files are spread over jobs. */
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";
import type { TestedRuntime } from "./runtimes.ts";
import { runSuites } from "./suites.ts";

interface Watched extends TestedRuntime {
  /** How many files have run at once at most. */
  readonly most: number;
}

/** A runtime of these files. Each that is begun is noted in `begun`. */
function watched(
  name: string,
  files: readonly string[],
  { atOnce, begun = [] }: { atOnce?: number; begun?: string[] } = {},
): Watched {
  let running = 0;
  const runtime = {
    name,
    atOnce,
    most: 0,
    files: () => Promise.resolve(files),
    executable: () => Promise.resolve(name),
    open: () =>
      Promise.resolve({
        run: async (file: string) => {
          begun.push(`${name}: ${file}`);
          runtime.most = Math.max(runtime.most, ++running);
          await delay(5);
          running--;
          return { passed: 1, failed: 0, skipped: 0, times: [] };
        },
        close: () => Promise.resolve(),
      }),
  };
  return runtime;
}

const none = () => Promise.reject(new Error("there is none"));
const options = {
  ...{ file: "", requireAll: true, fileTimeout: 1000, variables: {} },
  ...{ project: none, bundle: none },
};

test("every job has a file as long as there are any", async () => {
  const many = watched("many", Array(20).fill("a_test.ts"));
  const some = watched("some", Array(6).fill("a_test.ts"), { atOnce: 2 });
  const results = await runSuites([many, some], { ...options, jobs: 5 });
  assertEquals(results.map(({ name, passed }) => [name, passed]), [["many", 20], ["some", 6]]);
  assertEquals([many.most, some.most], [5, 2]);
});

test("the long files of all runtimes go first", async () => {
  const begun: string[] = [];
  const files = ["tests/core/a_test.ts", "tests/join/b_test.ts", "tests/contract/c_test.ts"];
  const runtimes = ["one", "other"].map((name) => watched(name, files, { begun }));
  await runSuites(runtimes, { ...options, jobs: 1 });
  const [short, ...long] = files;
  const order = ["one", "other"].flatMap((name) =>
    long.toReversed().map((file) => `${name}: ${file}`)
  );
  assertEquals(begun, [...order, `one: ${short}`, `other: ${short}`]);
});
