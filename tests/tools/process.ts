/**
 * Other programs: run to their end or to a bound, with all they print. For tests and benches.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** The project's root folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Options of {@linkcode run}. */
export interface RunOptions {
  /**
   * Folder to run in.
   *
   * @default {root}
   */
  cwd?: string;
  /** Variables to set on top of the present ones. */
  env?: Record<string, string>;
  /**
   * Milliseconds until the program is killed.
   *
   * @default {600_000}
   */
  timeout?: number;
  /**
   * Whether the time counts from what it has printed last, rather than from its start.
   *
   * @default {false}
   */
  untilSilent?: boolean;
}

/** What became of a program. */
export interface RunResult {
  success: boolean;
  /** How it ended, for a reader. */
  end: string;
  /** Everything it printed, standard error included. */
  output: string;
}

const graceMs = 5_000;

/** Runs a program. */
export async function run(
  command: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { cwd = root, env, timeout = 600_000, untilSilent = false } = options;
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args,
    cwd,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();

  let killed = false;
  let over = false;
  let kill: ReturnType<typeof setTimeout> | undefined;
  let killHard: ReturnType<typeof setTimeout> | undefined;
  const restart = () => {
    // What it has printed may be read only after its end.
    if (killed || over) return;
    clearTimeout(kill);
    clearTimeout(killHard);
    kill = setTimeout(() => {
      killed = true;
      child.kill("SIGTERM");
    }, timeout);
    killHard = setTimeout(() => child.kill("SIGKILL"), timeout + graceMs);
  };
  restart();
  const printed: string[] = [];
  const print = (text: string) => {
    printed.push(text);
    if (untilSilent) restart();
  };
  const readers = [collect(child.stdout, print), collect(child.stderr, print)];
  const status = await child.status;
  over = true;
  clearTimeout(kill);
  clearTimeout(killHard);
  await ended(readers);

  return {
    success: status.success && !killed,
    end: killed
      ? `killed after ${timeout / 1000} s${untilSilent ? " of silence" : ""}`
      : status.signal
      ? `ended by ${status.signal}`
      : `exit code ${status.code}`,
    output: printed.join(""),
  };
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  print: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) print(text);
}

/** A grandchild that lives on may hold the pipes open. */
async function ended(readers: Promise<void>[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
  await Promise.race([Promise.all(readers), grace]);
  clearTimeout(timer);
}
