/**
 * What takes the time: the slowest files and tests of each runtime, for `deno task test --slowest`.
 *
 * @module
 */
import type { TestTime } from "./runtimes.ts";

/** A file that has run. */
export interface FileTime {
  readonly file: string;
  /** From the start of its process or page to the end of that. */
  readonly ms: number;
  readonly times: readonly TestTime[];
}

/** The `count` slowest files of a runtime, and the `count` slowest tests, a line each. */
export function slowest(runtime: string, files: readonly FileTime[], count: number): string {
  const tests = files.flatMap(({ file, times }) =>
    times.map(({ name, ms }) => ({ ms, what: `${file}: ${name}` }))
  );
  const lines = (all: readonly { readonly ms: number; readonly what: string }[]) =>
    all
      .toSorted((one, other) => other.ms - one.ms)
      .slice(0, count)
      .map(({ ms, what }) => `${(ms / 1000).toFixed(1).padStart(8)} s  ${what}`);
  return [
    `── ${runtime}: the slowest files ──`,
    ...lines(files.map(({ file, ms }) => ({ ms, what: file }))),
    `── ${runtime}: the slowest tests ──`,
    ...lines(tests),
  ].join("\n");
}
