/** What can be written to, and may be a terminal. */
export interface Output {
  /** Whether it is a terminal. */
  isTerminal(): boolean;
  /** Writes some of it, and says how much. */
  writeSync(bytes: Uint8Array): number;
}

const ENCODER = new TextEncoder();
const CLEAR = "\r\x1b[K";

/**
 * Lines on stdout and stderr, and below them, where stderr is a terminal, one that is kept: it is
 * wiped before anything is written and put back after, so that the two never mix.
 */
export class Terminal {
  readonly #stdout: Output;
  readonly #stderr: Output;
  /** Whether there is a kept line. */
  readonly hasLive: boolean;
  #live = "";

  /**
   * @param stdout Where results go.
   * @param stderr Where people read.
   */
  constructor(stdout: Output, stderr: Output) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.hasLive = stderr.isTerminal();
  }

  /**
   * Writes to stdout.
   *
   * @param text Whole lines.
   */
  out(text: string): void {
    if (this.#live === "") return write(this.#stdout, text);
    write(this.#stderr, CLEAR);
    write(this.#stdout, text);
    write(this.#stderr, this.#live);
  }

  /**
   * Writes to stderr.
   *
   * @param text Whole lines.
   */
  err(text: string): void {
    write(this.#stderr, this.#live === "" ? text : CLEAR + text + this.#live);
  }

  /**
   * Changes the kept line.
   *
   * @param text One line that fits, or nothing to remove it.
   */
  live(text: string): void {
    if (!this.hasLive || text === this.#live) return;
    this.#live = text;
    write(this.#stderr, CLEAR + text);
  }
}

/** Connections matter more than their log: where nobody reads it any more it is dropped. */
function write(output: Output, text: string): void {
  let bytes = ENCODER.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(output.writeSync(bytes));
  } catch (error) {
    const isGone = error instanceof Deno.errors.BrokenPipe ||
      error instanceof Deno.errors.WouldBlock;
    if (!isGone) throw error;
  }
}
