// Standard output and standard error, with a live line below them; for the forwarder's program alone.

import { LogQueue, type Output } from "./log_queue.ts";

/** Moves to the start of the line and erases the line. */
const ERASE_LINE = "\r\x1b[K";

/**
 * Writes lines to stdout and stderr. Where stderr is a terminal, a live line stays below them: every write
 * to the terminal erases the live line first and writes it again afterwards, so that the two never mix. All
 * text is written in the background by {@linkcode LogQueue}s: no connection ever waits for the log.
 */
export class Terminal {
  /** Whether a live line can be shown. */
  readonly hasLiveLine: boolean;
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #outQueue: LogQueue;
  readonly #errQueue = this.#createQueue();
  #liveLine = "";

  constructor(stdout: Output, stderr: Output) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.hasLiveLine = stderr.isTerminal();
    // Two outputs that are one terminal share a queue, which keeps their lines in order. Any other stdout
    // has its own, so that neither output waits for the other's reader.
    this.#outQueue = stdout.isTerminal() ? this.#errQueue : this.#createQueue();
  }

  /** Writes whole lines to stdout. */
  out(text: string): void {
    this.#outQueue.push(this.#stdout, this.#aroundLiveLine(text, this.#stdout));
  }

  /** Writes whole lines to stderr. */
  err(text: string): void {
    this.#errQueue.push(this.#stderr, this.#aroundLiveLine(text, this.#stderr));
  }

  /** Replaces the live line, unless the terminal is busy. An empty text removes the line in any case. */
  setLiveLine(text: string): void {
    if (!this.hasLiveLine || text === this.#liveLine) return;
    if (text !== "" && !this.#errQueue.isEmpty) return;
    if (this.#errQueue.tryPush(this.#stderr, ERASE_LINE + text)) this.#liveLine = text;
  }

  /** Waits until all text is written, writing fails or `timeout` milliseconds have passed. */
  async flush(timeout: number): Promise<void> {
    await Promise.all([this.#outQueue.flush(timeout), this.#errQueue.flush(timeout)]);
  }

  #createQueue(): LogQueue {
    return new LogQueue((lines, output) => {
      const text = output === this.#stdout ? lossAsJson(lines) : lossAsText(lines);
      return this.#aroundLiveLine(text, output);
    });
  }

  #aroundLiveLine(text: string, output: Output): string {
    if (this.#liveLine === "" || !output.isTerminal()) return text;
    return ERASE_LINE + text + this.#liveLine;
  }
}

function lossAsJson(lines: number): string {
  return `${JSON.stringify({ event: "lost", lines })}\n`;
}

function lossAsText(lines: number): string {
  return `${lines} ${lines === 1 ? "line" : "lines"} of the log lost: they were not read in time\n`;
}
