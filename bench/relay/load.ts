/**
 * The load generator: load.c, compiled.
 *
 * @module
 */
import { installed } from "../../tests/tools/executables.ts";
import { root, run } from "../../tests/tools/process.ts";

const folder = `${root}/.cache/bench`;
const MOST_MS = 600_000;

/** Where a relay listens, and what it connects to. */
export interface Ports {
  readonly via: number;
  readonly target: number;
}

/** Compiles a C program of this folder's; resolves to its path. */
export async function compile(source: string, ...flags: string[]): Promise<string> {
  const cc = await installed("cc");
  const program = `${folder}/${source.replaceAll("/", "_").replace(/\.c$/, "")}`;
  await Deno.mkdir(folder, { recursive: true });
  const { success, output } = await run([
    cc,
    "-O2",
    "-o",
    program,
    `${root}/bench/${source}`,
    ...flags,
  ]);
  if (!success) throw new Error(`cc ${source}\n${output}`);
  return program;
}

/** Compiles the load, or says that it cannot and exits. */
export async function compileLoad(source: string): Promise<string> {
  try {
    return await compile(source);
  } catch (error) {
    console.error(`The load generator cannot be had: ${(error as Error).message}`);
    Deno.exit(1);
  }
}

/** A run of the load, which talks in lines of JSON. */
export class Load implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #errors: Promise<string>;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(program: string, args: readonly (string | number)[], mostMs = MOST_MS) {
    this.#child = new Deno.Command(program, {
      args: args.map(String),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#lines = lines(this.#child.stdout);
    this.#errors = new Response(this.#child.stderr).text();
    this.#timer = setTimeout(() => this.#child.kill("SIGKILL"), mostMs);
  }

  /** What it says next; rejects with what it complains of if it has ended. */
  async answer(): Promise<Record<string, number>> {
    const { done, value } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    const { signal } = await this.#child.status;
    throw new Error((await this.#errors).trim() || `The load was ended by ${signal}`);
  }

  /** Lets it go on. */
  async goOn(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("\n"));
    writer.releaseLock();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#child.stdin.close().catch(() => {});
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#errors;
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + text).split("\n");
    rest = whole.pop()!;
    yield* whole;
  }
}
