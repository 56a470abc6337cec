/** How files are spread over jobs. */
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";
import type { TestedRuntime } from "./runtimes.ts";
import { runSuites } from "./suites.ts";

/** A runtime of `count` files, and how many of them have run at once at most. */
function counting(name: string, count: number, atOnce?: number): TestedRuntime & { most: number } {
  let running = 0;
  const runtime = {
    name,
    atOnce,
    most: 0,
    files: () => Promise.resolve(Array.from({ length: count }, (_, at) => `${name} ${at}`)),
    executable: () => Promise.resolve(name),
    open: () =>
      Promise.resolve({
        run: async () => {
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

test("every job has a file as long as there are any", async () => {
  const many = counting("many", 20);
  const some = counting("some", 6, 2);
  const results = await runSuites([many, some], {
    ...{ jobs: 5, file: "", requireAll: true, fileTimeout: 1000, variables: {} },
    project: () => Promise.reject(new Error("there is none")),
    bundle: () => Promise.reject(new Error("there is none")),
  });
  assertEquals(results.map(({ name, passed }) => [name, passed]), [["many", 20], ["some", 6]]);
  assertEquals([many.most, some.most], [5, 2]);
});
