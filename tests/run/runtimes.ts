/**
 * The runtimes the tests run on.
 *
 * @module
 */
import { browsers } from "./browsers.ts";
import type { Bundle } from "./bundle.ts";
import { commandLines } from "./command_line.ts";
import type { Counts } from "./tally.ts";
import { workerd } from "./workerd.ts";

/** A runtime. */
export interface TestedRuntime {
  readonly name: string;
  /**
   * How many files it runs at once.
   *
   * @default {as many as there are jobs}
   */
  readonly atOnce?: number;
  /** Resolves to the test files that are for it, as paths from the project's root. */
  files(): Promise<readonly string[]>;
  /** Resolves to the executable; rejects if there is none for this machine. */
  executable(): Promise<string>;
  /** Makes everything ready. */
  open(executable: string, options: RunOptions): Promise<Session>;
}

/** What every run of the tests has in common. */
export interface RunOptions {
  /** Milliseconds in which nothing may happen in a file. */
  readonly fileTimeout: number;
  /** What the tests are told; see `tests/support/environment.ts`. */
  readonly variables: Readonly<Record<string, string>>;
  /** Gives the folder of the npm package's project. */
  project(): Promise<string>;
  /** Gives the tests as modules for pages and Workers. */
  bundle(): Promise<Bundle>;
}

/** A runtime that is ready. */
export interface Session {
  /** Runs one of the runtime's files: a file that crashes or hangs costs that file alone. */
  run(file: string): Promise<FileResult>;
  close(): Promise<void>;
}

/** A test that has run. */
export interface TestTime {
  readonly name: string;
  readonly ms: number;
}

/** What became of a file. */
export interface FileResult extends Counts {
  /** Its tests, as far as they ended. */
  readonly times: readonly TestTime[];
  /** What there is to say if anything failed. */
  failure?: {
    /** How it ended. */
    readonly end: string;
    readonly output: string;
  };
}

/** Every runtime, in the order they are run. */
export const runtimes: readonly TestedRuntime[] = [...commandLines, workerd, ...browsers];
