// Standard output and standard error, with a live line below; for the forwarder's program alone.

import { LogQueue, type Output } from "./log_queue.ts";

const CLEAR = "\r\x1b[K";

/**
 * Lines on stdout and stderr, and below them, where stderr is a terminal, one that is kept: it is
 * wiped before anything is written there and put back after, so that the two never mix. All of it is
 * written in the background, by a {@linkcode LogQueue}: connections matter more than their log.
 */
export class Terminal {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #outQueue: LogQueue;
  readonly #errQueue = this.#createQueue();
  /** Whether there is a kept line. */
  readonly hasLive: boolean;
  #live = "";

  constructor(stdout: Output, stderr: Output) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.hasLive = stderr.isTerminal();
    // On one terminal the order of the two is to be kept; elsewhere one must not make the other wait.
    this.#outQueue = stdout.isTerminal() ? this.#errQueue : this.#createQueue();
  }

  /** Writes whole lines to stdout. */
  out(text: string): void {
    this.#outQueue.push(this.#stdout, this.#framed(text, this.#stdout));
  }

  /** Writes whole lines to stderr. */
  err(text: string): void {
    this.#errQueue.push(this.#stderr, this.#framed(text, this.#stderr));
  }

  /** Changes the kept line, unless the terminal is busy; an empty text removes it. */
  live(text: string): void {
    if (!this.hasLive || text === this.#live) return;
    if (text !== "" && !this.#errQueue.isEmpty) return;
    if (this.#errQueue.offer(this.#stderr, CLEAR + text)) this.#live = text;
  }

  /** Waits until all is written, writing fails or `timeout` milliseconds have passed. */
  async flush(timeout: number): Promise<void> {
    await Promise.all([this.#outQueue.flush(timeout), this.#errQueue.flush(timeout)]);
  }

  #createQueue(): LogQueue {
    return new LogQueue((lines, output) =>
      this.#framed(output === this.#stdout ? lossAsJson(lines) : lossAsText(lines), output)
    );
  }

  #framed(text: string, output: Output): string {
    return this.#live === "" || !output.isTerminal() ? text : CLEAR + text + this.#live;
  }
}

function lossAsJson(lines: number): string {
  return `${JSON.stringify({ event: "lost", lines })}\n`;
}

function lossAsText(lines: number): string {
  return `${lines} ${lines === 1 ? "line" : "lines"} of the log lost: they were not read in time\n`;
}
