/**
 * Programs that run until they are stopped. For tests, on every runtime that can start programs, and for benches.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";

const graceMs = 5_000;

/** Options of {@linkcode Program}. */
export interface ProgramOptions {
  /** Variables to set on top of the present ones. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Whether what it prints as errors is shown at once.
   *
   * @default {false}
   */
  readonly showsErrors?: boolean;
}

/** A program that runs; its standard input is open for as long as the present program runs. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Fulfils, once it has ended, with how. */
  readonly ended: Promise<string>;
  /** Lines that it has printed and nobody has asked for. */
  readonly #unread: string[] = [];
  #errors = "";
  /** What it prints as errors has come to an end. */
  readonly #errorsEnded: Promise<unknown>;
  #hasClosed = false;
  readonly #waiting: (() => void)[] = [];

  /** @param command The executable and its arguments. */
  constructor(command: readonly string[], { env, showsErrors = false }: ProgramOptions = {}) {
    const [executable = "", ...args] = command;
    this.child = spawn(executable, args, { stdio: "pipe", env: { ...process.env, ...env } });
    this.ended = new Promise((resolve) => {
      this.child.once("error", (error) => {
        resolve(`${executable}: ${error.message}`);
        this.#onClose();
      });
      this.child.once("exit", (code, signal) => {
        resolve(`${executable}: ${signal ? `ended by ${signal}` : `exit code ${code}`}`);
      });
    });
    const stderr = this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
      if (showsErrors) process.stderr.write(text);
    });
    this.#errorsEnded = new Promise((resolve) => {
      stderr.once("close", resolve);
      this.child.once("error", resolve);
    });
    createInterface(this.child.stdout!)
      .on("line", (line) => {
        this.#unread.push(line);
        this.#look();
      })
      .on("close", () => this.#onClose());
  }

  /** The next line that it prints; rejects if it ends before. */
  async line(): Promise<string> {
    while (this.#unread.length === 0 && !this.#hasClosed) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const line = this.#unread.shift();
    if (line !== undefined) return line;
    await this.#errorsEnded;
    throw new Error(`${await this.ended}\n${this.#errors}`);
  }

  /** The port that it says it listens on. */
  async port(): Promise<number> {
    return Number((await this.line()).replace("listening on ", ""));
  }

  /** What it has printed as errors. */
  get errors(): string {
    return this.#errors;
  }

  /** The lines that it has printed and nobody has asked for, and what it has printed as errors. */
  get output(): string {
    return [...this.#unread, this.#errors].join("\n");
  }

  /** Sends it a signal; after SIGSTOP, `child.kill` of Deno 2.9 sends no other. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.child.pid!, name);
  }

  /** Ends it; by SIGKILL if it has not ended 5 s after another signal. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#kill(signal);
    const killHard = setTimeout(() => this.#kill("SIGKILL"), graceMs);
    await this.ended;
    clearTimeout(killHard);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }

  #onClose(): void {
    this.#hasClosed = true;
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting.splice(0)) look();
  }

  #kill(signal: NodeJS.Signals): void {
    const { exitCode, pid, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null || pid === undefined) return;
    try {
      this.signal(signal);
    } catch {
      // It has ended.
    }
  }
}
