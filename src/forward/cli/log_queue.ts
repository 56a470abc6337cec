// Text that waits to be written, bounded; for `terminal.ts` alone.

/** An output of the process. */
export interface Output {
  isTerminal(): boolean;
  /** Writes some of the bytes without blocking the event loop. Returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** How many characters may wait: thousands of lines. */
const CAPACITY = 2 ** 20;

/** How many characters are written at once. */
const PORTION = 2 ** 16;

/**
 * How long to wait before an output that takes nothing is tried again, in ms: the first time, and at most.
 * Each wait is twice as long as the wait before.
 */
const MIN_RETRY = 10;
const MAX_RETRY = 1000;

const ENCODER = new TextEncoder();

/** Text that is written at once. */
interface Portion {
  readonly output: Output;
  text: string;
}

/** Lines that found no room in the queue. */
interface Loss {
  readonly lines: number;
  /** What the last of the lines was for. */
  readonly output: Output;
}

/**
 * Writes text in the background, in order. Nobody waits for it, and it never throws: while an output's reader
 * is stuck or gone, or the disk is full, the queue keeps what fits and tries again. It counts the lines that
 * do not fit, and writes their number once there is room.
 */
export class LogQueue {
  readonly #describeLoss: (lines: number, output: Output) => string;
  /** The first is being written. */
  readonly #portions: Portion[] = [];
  /** Characters of all portions. */
  #size = 0;
  /** What is still to be reported as lost. */
  #loss: Loss | undefined;
  /** Whether the last write has failed. A reader that is only slow makes no write fail. */
  #isFailing = false;
  /** What `flush` waits for. */
  #flushed: PromiseWithResolvers<void> | undefined;

  /** `describeLoss` returns the text that reports a number of lost lines to an output. */
  constructor(describeLoss: (lines: number, output: Output) => string) {
    this.#describeLoss = describeLoss;
  }

  /** Whether no text waits. */
  get isEmpty(): boolean {
    return this.#portions.length === 0;
  }

  /** Adds a line, with its end of line, or counts the line as lost if there is no room. */
  push(output: Output, line: string): void {
    if (this.tryPush(output, line)) return;
    this.#loss = { lines: (this.#loss?.lines ?? 0) + 1, output };
  }

  /** Adds text if there is room. Returns whether there was. */
  tryPush(output: Output, text: string): boolean {
    if (this.#size + text.length > CAPACITY) return false;
    this.#size += text.length;
    const last = this.#portions.length > 1 ? this.#portions.at(-1) : undefined;
    if (last?.output === output && last.text.length < PORTION) last.text += text;
    else if (this.#portions.push({ output, text }) === 1) void this.#write();
    return true;
  }

  /** Waits until all text is written, writing fails or `timeout` milliseconds have passed. */
  async flush(timeout: number): Promise<void> {
    if (this.isEmpty || this.#isFailing) return;
    this.#flushed ??= Promise.withResolvers<void>();
    const { promise, resolve } = this.#flushed;
    const timer = setTimeout(resolve, timeout);
    await promise;
    clearTimeout(timer);
  }

  async #write(): Promise<void> {
    for (let portion; (portion = this.#portions[0]) !== undefined;) {
      await this.#writePortion(portion);
      this.#size -= portion.text.length;
      // Before the portion leaves the queue: text that finds it empty starts a writer of its own.
      this.#reportLoss();
      this.#portions.shift();
    }
    this.#endFlush();
  }

  async #writePortion({ output, text }: Portion): Promise<void> {
    let bytes = ENCODER.encode(text);
    let retry = MIN_RETRY;
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(await output.write(bytes));
        this.#isFailing = false;
        retry = MIN_RETRY;
      } catch (error) {
        // A full pipe fails if another process has made it non-blocking: its reader is only slow.
        this.#isFailing = !(error instanceof Deno.errors.WouldBlock);
        if (this.#isFailing) this.#endFlush();
        await new Promise((resolve) => setTimeout(resolve, retry));
        retry = Math.min(retry * 2, MAX_RETRY);
      }
    }
  }

  #endFlush(): void {
    this.#flushed?.resolve();
    this.#flushed = undefined;
  }

  #reportLoss(): void {
    if (this.#loss === undefined) return;
    const { lines, output } = this.#loss;
    if (this.tryPush(output, this.#describeLoss(lines, output))) this.#loss = undefined;
  }
}
