// Lines that wait to be written, bounded; for `terminal.ts` alone.

/** What can be written to. */
export interface Output {
  /** Whether it is a terminal. */
  isTerminal(): boolean;
  /** Writes some of it, without the event loop waiting, and says how much. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Characters that may wait: some thousands of lines. */
const CAPACITY = 2 ** 20;

/** Characters that are written at once. */
const PORTION = 2 ** 16;

/** Milliseconds until an output that takes nothing is tried again: at first, and at most. */
const SHORTEST_RETRY = 10;
const LONGEST_RETRY = 1000;

const ENCODER = new TextEncoder();

interface Portion {
  readonly output: Output;
  text: string;
}

/**
 * Text that waits to be written, in its order. Nobody waits for it, and no error leaves it: while its
 * reader is stuck or gone, or the disk is full, it keeps what fits and tries again; lines that do not
 * fit are counted, and that is said once there is room.
 */
export class LogQueue {
  readonly #describeLoss: (lines: number, output: Output) => string;
  /** The first is being written. */
  readonly #portions: Portion[] = [];
  /** Characters of all portions. */
  #size = 0;
  #lost = 0;
  /** Whose line was lost last. */
  #loser: Output | undefined;
  /** Whether writing has failed, which a reader that is only slow never makes it do. */
  #isFailing = false;
  #idle: PromiseWithResolvers<void> | undefined;

  /** `describeLoss` gives the text to write to an output when lines for it were lost. */
  constructor(describeLoss: (lines: number, output: Output) => string) {
    this.#describeLoss = describeLoss;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#portions.length === 0;
  }

  /** Adds a line (with its end) for `output`, or counts it as lost where there is no room. */
  push(output: Output, text: string): void {
    if (this.offer(output, text)) return;
    this.#lost++;
    this.#loser = output;
  }

  /** Adds text that nobody misses. Returns whether there was room. */
  offer(output: Output, text: string): boolean {
    if (this.#size + text.length > CAPACITY) return false;
    this.#size += text.length;
    const last = this.#portions.length > 1 ? this.#portions.at(-1) : undefined;
    if (last?.output === output && last.text.length < PORTION) last.text += text;
    else if (this.#portions.push({ output, text }) === 1) void this.#write();
    return true;
  }

  /** Waits until all is written, writing fails or `timeout` milliseconds have passed. */
  async flush(timeout: number): Promise<void> {
    if (this.isEmpty || this.#isFailing) return;
    this.#idle ??= Promise.withResolvers<void>();
    const { promise, resolve } = this.#idle;
    const timer = setTimeout(resolve, timeout);
    await promise;
    clearTimeout(timer);
  }

  async #write(): Promise<void> {
    for (let portion; (portion = this.#portions[0]) !== undefined;) {
      await this.#writeOut(portion);
      this.#portions.shift();
      this.#size -= portion.text.length;
      this.#tellLoss();
    }
    this.#wake();
  }

  async #writeOut({ output, text }: Portion): Promise<void> {
    let bytes = ENCODER.encode(text);
    let retry = SHORTEST_RETRY;
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(await output.write(bytes));
        this.#isFailing = false;
        retry = SHORTEST_RETRY;
      } catch (error) {
        // A pipe that somebody else has made non-blocking is full.
        this.#isFailing = !(error instanceof Deno.errors.WouldBlock);
        if (this.#isFailing) this.#wake();
        await new Promise((resolve) => setTimeout(resolve, retry));
        retry = Math.min(retry * 2, LONGEST_RETRY);
      }
    }
  }

  #wake(): void {
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #tellLoss(): void {
    if (this.#loser === undefined) return;
    if (!this.offer(this.#loser, this.#describeLoss(this.#lost, this.#loser))) return;
    this.#lost = 0;
    this.#loser = undefined;
  }
}
