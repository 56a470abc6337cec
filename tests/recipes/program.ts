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
  #errors = "";

  /** @param command The executable and its arguments. */
  constructor([executable, ...args]: readonly string[]) {
    this.child = spawn(executable, args, { stdio: "pipe" });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
      process.stderr.write(text);
    });
    this.#lines = createInterface(this.child.stdout!)[Symbol.asyncIterator]();
  }

  /** The next line that it prints. */
  async line(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("The program has ended");
    return value;
  }

  /** What it has printed as errors, which are also shown. */
  get errors(): string {
    return this.#errors;
  }

  /** The port that it says it listens on. */
  async port(): Promise<number> {
    return Number((await this.line()).replace("listening on ", ""));
  }

  /** Sends it a signal; after SIGSTOP, `child.kill` of Deno 2.9 sends no other. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.child.pid!, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, "exit");
    this.signal("SIGKILL");
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
    super(commandOf(name, args));
  }

  /** One that may have so many descriptors open at once. */
  static limited(descriptors: number, name: string, ...args: readonly (string | number)[]) {
    const limit = ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh"];
    return new Running([...limit, ...commandOf(name, args)]);
  }
}

function commandOf(name: string, args: readonly (string | number)[]): string[] {
  // Transpiled, where this file is.
  const file = fileURLToPath(new URL(`${name}.${import.meta.url.slice(-2)}`, import.meta.url));
  const run = "Deno" in globalThis ? ["run", "-A", "--no-check", "--quiet"] : [];
  return [process.execPath, ...run, file, ...args.map(String)];
}
