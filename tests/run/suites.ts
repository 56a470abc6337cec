/**
 * The runs of the tests on several runtimes, side by side: most tests wait more than they compute, so
 * that some files at once take little longer than one.
 *
 * @module
 */
import { Changes } from "../support/async.ts";
import type { RunOptions, Session, TestedRuntime } from "./runtimes.ts";
import type { FileTime } from "./slowest.ts";
import { add, type Tally, tally } from "./tally.ts";

/** Options of {@linkcode runSuites}. */
export interface SuiteOptions extends RunOptions {
  /** Whether a runtime that cannot be had is a failure. */
  readonly requireAll: boolean;
  /** How many files run at once. */
  readonly jobs: number;
  /** Only files with this in their path; all if empty. */
  readonly file: string;
}

/** Where the files are that take longest: those of the first compute, those of the last wait. */
const LONG = ["tests/contract/", "tests/routes/", "tests/join/"];

/** What became of a runtime's run of the tests. */
export interface SuiteResult extends Tally {
  /** How long each of its files took. */
  readonly files: FileTime[];
}

/** Runs all test files on each of the runtimes, and shows what those with a failure print. */
export async function runSuites(
  runtimes: readonly TestedRuntime[],
  options: SuiteOptions,
): Promise<SuiteResult[]> {
  const suites = runtimes.map((runtime) => new Suite(runtime, options));
  // Those that take few files at once are the longest way: they go first.
  const order = suites.toSorted((one, other) => one.atOnce - other.atOnce);
  const changes = new Changes();
  const next = () => {
    const ready = order.filter(({ ready }) => ready);
    const rank = Math.min(...ready.map(({ nextRank }) => nextRank));
    return ready.find(({ nextRank }) => nextRank === rank);
  };
  const work = async () => {
    for (;;) {
      const suite = next();
      if (suite) {
        await suite.advance();
        changes.happened();
      } else if (order.every(({ over }) => over)) {
        return;
      } else {
        await changes.next();
      }
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return suites.map(({ result }) => result);
}

/** One runtime's run of the tests. */
class Suite {
  readonly result: SuiteResult;
  readonly atOnce: number;
  readonly #runtime: TestedRuntime;
  readonly #options: SuiteOptions;
  #state: "closed" | "opening" | "open" | "over" = "closed";
  #session?: Session;
  #left: string[] = [];
  #running = 0;

  constructor(runtime: TestedRuntime, options: SuiteOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.atOnce = runtime.atOnce ?? options.jobs;
    this.result = { ...tally(runtime.name), files: [] };
  }

  /** Whether there is something to do for one who calls {@linkcode advance}. */
  get ready(): boolean {
    return this.#state === "closed" ||
      this.#state === "open" && this.#left.length > 0 && this.#running < this.atOnce;
  }

  /** How soon it is to be advanced: of all suites the long files go first. */
  get nextRank(): number {
    if (this.#state === "closed") return 0;
    return isLong(this.#left[0]) ? 1 : 2;
  }

  get over(): boolean {
    return this.#state === "over";
  }

  /** Makes it ready, or runs one of its files; the last one to end closes it. */
  async advance(): Promise<void> {
    const start = performance.now();
    const { result } = this;
    this.#running++;
    try {
      if (this.#state === "closed") await this.#open();
      else await this.#runFile(this.#left.shift()!);
    } catch (error) {
      console.log(`${result.name} FAILED: ${messageOf(error)}`);
      result.failed++;
    }
    this.#running--;
    result.seconds += (performance.now() - start) / 1000;
    if (this.#left.length === 0 && this.#running === 0) await this.#close();
  }

  async #open(): Promise<void> {
    this.#state = "opening";
    const executable = await this.#find();
    if (executable !== undefined) {
      this.#session = await this.#runtime.open(executable, this.#options);
      const files = await this.#runtime.files();
      this.#left = longFirst(files.filter((file) => file.includes(this.#options.file)));
    }
    this.#state = "open";
  }

  async #find(): Promise<string | undefined> {
    try {
      return await this.#runtime.executable();
    } catch (error) {
      if (this.#options.requireAll) throw error;
      console.log(`${this.result.name} skipped: ${messageOf(error)}`);
      this.result.skipped++;
    }
  }

  async #runFile(file: string): Promise<void> {
    const start = performance.now();
    const { failure, times, ...counts } = await this.#session!.run(file);
    const { name, files } = this.result;
    add(this.result, counts);
    files.push({ file, ms: performance.now() - start, times });
    if (failure) console.log(`\n── ${name} ${file}: ${failure.end} ──\n${failure.output}\n`);
  }

  async #close(): Promise<void> {
    await this.#session?.close();
    const { file, variables: { TEST_FILTER: filter } } = this.#options;
    const { name, passed, failed, skipped } = this.result;
    this.#state = "over";
    if (passed + failed + skipped === 0 && !file && !filter) {
      console.log(`${name} FAILED: no test was run`);
      this.result.failed++;
    } else if (passed + failed + skipped === 0) {
      console.log(`${name}: no test is called so`);
      return;
    }
    console.log(`${name}: ${passed} passed, ${this.result.failed} failed, ${skipped} skipped`);
  }
}

/** Else one of these would be what all wait for in the end. Those that compute are mixed with those that wait. */
function longFirst(files: readonly string[]): string[] {
  const long = LONG.map((folder) => files.filter((file) => file.startsWith(folder)))
    .flatMap((group) => group.map((file, index) => ({ file, at: index / group.length })))
    .toSorted((one, other) => one.at - other.at)
    .map(({ file }) => file);
  return [...long, ...files.filter((file) => !isLong(file))];
}

function isLong(file: string): boolean {
  return LONG.some((folder) => file.startsWith(folder));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
