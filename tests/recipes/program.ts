/**
 * Runs a recipe as the program that it is.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A program that runs. */
export class Running implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** @param command The executable and its arguments. */
  constructor([executable, ...args]: readonly string[]) {
    this.child = spawn(executable, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.child.stdout!)[Symbol.asyncIterator]();
  }

  /** The next line that it prints. */
  async line(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("The program has ended");
    return value;
  }

  /** The port that it says it listens on. */
  async port(): Promise<number> {
    return Number((await this.line()).replace("listening on ", ""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, "exit");
    this.child.kill();
    await exit;
  }
}

/** A recipe that runs, on the runtime that runs the test. */
export class Program extends Running {
  /**
   * @param name The recipe's name, without `.ts`.
   * @param args Its arguments.
   */
  constructor(name: string, ...args: readonly (string | number)[]) {
    // Transpiled, where this file is.
    const file = fileURLToPath(new URL(`${name}.${import.meta.url.slice(-2)}`, import.meta.url));
    const run = "Deno" in globalThis ? ["run", "-A", "--no-check", "--quiet"] : [];
    super([process.execPath, ...run, file, ...args.map(String)]);
  }
}
