/**
 * A relay that runs.
 *
 * @module
 */
import { root } from "../../tests/tools/process.ts";
import { listeners, tree } from "./processes.ts";

/** How to start one. */
export interface Start {
  readonly command: readonly string[];
  /** @default {root} */
  readonly cwd?: string;
  /** Sockets that listen once it is ready: 1. */
  readonly listeners?: number;
}

const LISTEN_MS = 20_000;
const SETTLE_MS = 400;

/** One in processes of its own, until it is disposed of. */
export class Relay implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #errors: Promise<string>;
  readonly #port: number;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.#errors = new Response(child.stderr).text();
    this.#port = port;
  }

  /** Starts one, and waits until it listens and has come to rest. */
  static async start({ command, cwd = root, listeners: wanted = 1 }: Start, port: number) {
    if (listeners(port) > 0) throw new Error(`Something else listens on port ${port}`);
    const [program = "", ...args] = command;
    const child = new Deno.Command(program, {
      args,
      cwd,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const relay = new Relay(child, port);
    let ended = false;
    void child.status.then(() => ended = true);
    const started = performance.now();
    while (listeners(port) < wanted) {
      if (ended || performance.now() - started > LISTEN_MS) {
        await relay[Symbol.asyncDispose]();
        throw new Error(`It does not listen on port ${port}: ${await relay.#errors}`.trim());
      }
      await delay(50);
    }
    await delay(SETTLE_MS);
    return relay;
  }

  /** The first of its processes. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Kills all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of tree(this.pid)) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await this.#child.status;
    await this.#errors;
    for (let tries = 0; listeners(this.#port) > 0 && tries < 100; tries++) await delay(50);
  }
}

/** Resolves after so many milliseconds. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
