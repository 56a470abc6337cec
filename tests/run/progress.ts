/**
 * What a page, a Worker or Node tells of the tests that it runs.
 *
 * @module
 */
import type { Progress } from "../support/collector.ts";
import type { FileResult, TestTime } from "./runtimes.ts";

/** The run of one file, as far as it is known. */
export class FileRun {
  /** Fulfils when it has ended of itself. */
  readonly done: Promise<void>;
  /** Called whenever something has happened. */
  onProgress = () => {};
  #isDone = false;
  #finish = () => {};
  #names: readonly string[] = [];
  #passed = 0;
  #failed = 0;
  readonly #times: TestTime[] = [];
  readonly #output: string[] = [];

  constructor() {
    this.done = new Promise((resolve) => this.#finish = resolve);
  }

  /** Whether it has. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Something has happened. */
  add(progress: Progress): void {
    this.onProgress();
    if ("names" in progress) this.#names = progress.names;
    else if ("stray" in progress) this.#fail("outside any test", progress.stray);
    else if ("printed" in progress) this.print(progress.printed);
    else if ("done" in progress) this.#end();
    else this.#ended(progress);
  }

  /** To be shown if anything has failed. */
  print(text: string): void {
    if (text.trim() !== "") this.#output.push(text.trimEnd());
  }

  /** @param broken How it ended otherwise than of itself. */
  result(broken?: string): FileResult {
    if (broken !== undefined) {
      const running = this.#names[this.#times.length];
      this.#fail(running === undefined ? "outside any test" : `✖ ${running}`, broken);
    }
    const counts = {
      ...{ passed: this.#passed, failed: this.#failed, skipped: 0 },
      times: this.#times,
    };
    if (this.#failed === 0) return counts;
    const end = broken ?? `${this.#failed} failed`;
    return { ...counts, failure: { end, output: this.#output.join("\n") } };
  }

  #ended({ failure, ms }: { readonly failure?: string; readonly ms: number }): void {
    const name = this.#names[this.#times.length];
    this.#times.push({ name, ms });
    if (failure === undefined) this.#passed++;
    else this.#fail(`✖ ${name}`, failure);
  }

  #end(): void {
    this.#isDone = true;
    this.#finish();
  }

  #fail(what: string, text: string): void {
    this.print(`${what}\n  ${text.replaceAll("\n", "\n  ")}`);
    this.#failed++;
  }
}
