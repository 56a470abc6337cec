/**
 * Programs that run until they are stopped. For tests and benches.
 *
 * @module
 */
import { root } from "./process.ts";

const graceMs = 5_000;

/** One that runs; its standard input is open for as long as the present program runs. */
export class Service {
  /** The first line it prints; rejects if it ends before. */
  readonly firstLine: Promise<string>;
  /** Resolves, once it has ended, to how. */
  readonly ended: Promise<string>;
  readonly #child: Deno.ChildProcess;
  readonly #errors: Promise<void>;
  #output = "";

  constructor(command: readonly string[], env: Record<string, string> = {}) {
    const [program = "", ...args] = command;
    this.#child = new Deno.Command(program, {
      args,
      env,
      cwd: root,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ended = this.#child.status.then(({ code, signal }) =>
      `${program}: ${signal ? `ended by ${signal}` : `exit code ${code}`}`
    );
    this.#errors = this.#collect(this.#child.stderr.pipeThrough(new TextDecoderStream()));
    this.firstLine = this.#readFirstLine();
    // Not everyone waits for it.
    this.firstLine.catch(() => {});
  }

  /** What else it has printed. */
  get output(): string {
    return this.#output;
  }

  /** Ends it. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    kill(this.#child, signal);
    const killHard = setTimeout(() => kill(this.#child, "SIGKILL"), graceMs);
    await this.ended;
    clearTimeout(killHard);
  }

  async #readFirstLine(): Promise<string> {
    const text = this.#child.stdout.pipeThrough(new TextDecoderStream());
    const reader = text.getReader();
    let line = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      line += value;
      const end = line.indexOf("\n");
      if (end === -1) continue;
      this.#output += line.slice(end + 1);
      reader.releaseLock();
      void this.#collect(text);
      return line.slice(0, end);
    }
    await this.#errors;
    throw new Error(`${await this.ended}\n${this.#output}`);
  }

  async #collect(texts: ReadableStream<string>): Promise<void> {
    for await (const text of texts) this.#output += text;
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended.
  }
}
