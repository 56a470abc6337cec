/**
 * Waiting in tests: for what happens, never for time to pass where that can be helped.
 *
 * @module
 */

// As they are before any test replaces them, see timers.ts.
const { setTimeout, setImmediate } = globalThis as {
  setTimeout: typeof globalThis.setTimeout;
  /** Pages have none. */
  setImmediate?: (callback: () => void) => unknown;
};

/** A promise and what settles it; `Promise.withResolvers` is missing on Node 20. */
export interface Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** A promise to settle from outside. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...settle) => [resolve, reject] = settle);
  return { promise, resolve, reject };
}

/** Never settles. */
export function never<T = void>(): Promise<T> {
  return new Promise(() => {});
}

/** Fulfils after `ms`. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Fulfils in a later turn of the event loop, without waiting for a timer. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (setImmediate) return void setImmediate(resolve);
    later ??= postMessages();
    later(resolve);
  });
}

let later: ((callback: () => void) => void) | undefined;

/** A timer in a page may take 4 ms, whatever it is set to. */
function postMessages(): (callback: () => void) => void {
  const callbacks: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = () => callbacks.shift()?.();
  return (callback) => {
    callbacks.push(callback);
    port1.postMessage(undefined);
  };
}

/** Some turns of the event loop: enough for whatever was due without a timer or I/O to have happened. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await delay(0);
}

/** Between two looks at the clock the machine stood still, as far as more milliseconds have passed. */
const LONGEST_LOOK_MS = 50;

/** Milliseconds that `action` takes to fulfil; those in which the machine stood still do not count. */
export async function took(action: () => Promise<unknown>): Promise<number> {
  let ms = 0;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    ms += Math.min(now - last, LONGEST_LOOK_MS);
    last = now;
  };
  const looking = setInterval(look, 10);
  try {
    await action();
  } finally {
    clearInterval(looking);
  }
  look();
  return ms;
}

/** Whatever `promise` rejects with, of any type. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`Expected a rejection, but it fulfilled with ${JSON.stringify(value)}`);
}

/** Lets others wait until something holds, looking again after each change. */
export class Changes {
  #waiting: (() => void)[] = [];

  /** Something has changed. */
  happened(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const look of waiting) look();
  }

  /** Fulfils once something changes. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Fulfils once `holds` does. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.next();
  }
}
