/**
 * Runs tests where there is no runner: in a page, in a Worker, and on Node, whose own is slow.
 *
 * @module
 */
import { delay, macrotask } from "./async.ts";
import { runtime } from "./environment.ts";

/** What there is to tell of a run, in this order. */
export type Progress =
  /** The names of the tests, in the order in which they run. */
  | { readonly names: readonly string[] }
  /** The next test has passed, or failed with this text; how long it took. */
  | { readonly failure?: string; readonly ms: number }
  /** An error outside any test. */
  | { readonly stray: string }
  /** Something printed. */
  | { readonly printed: string }
  | { readonly done: true };

/** Tells what has happened. */
export type Tell = (progress: Progress) => Promise<void>;

interface Collected {
  name: string;
  body: () => Promise<void>;
}

const collected: Collected[] = [];

// As it is before any test replaces it.
const now = performance.now.bind(performance);

/** Registers a test. */
export function collect(name: string, body: () => Promise<void>): void {
  collected.push({ name, body });
}

/** Loads a file of tests, and runs them one after the other. */
export async function runCollected(
  load: () => Promise<unknown>,
  tell: Tell,
): Promise<void> {
  const uncaught = watchUncaught();
  const tellStray = async () => {
    for (const error of uncaught.splice(0)) {
      await tell({ stray: describe(error) });
    }
  };
  try {
    await load();
  } catch (error) {
    uncaught.push(error);
  }
  await settled();
  await tell({ names: collected.map(({ name }) => name) });
  for (const { body } of collected) {
    await tellStray();
    const errors: unknown[] = [];
    const start = now();
    try {
      await body();
    } catch (error) {
      errors.push(error);
    }
    await settled();
    errors.push(...uncaught.splice(0));
    const ms = Math.round(now() - start);
    await tell(errors.length > 0 ? { failure: errors.map(describe).join("\n"), ms } : { ms });
  }
  // What was left running may still fail.
  await delay(20);
  await tellStray();
  await tell({ done: true });
}

/** Errors that nobody catches are told in a later task. */
async function settled(): Promise<void> {
  await macrotask();
  await macrotask();
}

/** The errors that are thrown or rejected with, and never caught. */
function watchUncaught(): unknown[] {
  const errors: unknown[] = [];
  const { process } = globalThis as { process?: typeof import("node:process") };
  if (runtime === "node" && process) {
    for (const event of ["uncaughtException", "unhandledRejection"]) {
      process.on(event, (error) => errors.push(error));
    }
    return errors;
  }
  addEventListener(
    "error",
    (event) => errors.push((event as ErrorEvent).error ?? event),
  );
  addEventListener("unhandledrejection", (event) => {
    errors.push((event as PromiseRejectionEvent).reason);
  });
  return errors;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stack = "", cause } = error;
  // V8 alone repeats the message there.
  const text = /^ +at /m.test(stack) ? stack : `${error}\n${stack}`;
  return cause === undefined ? text.trimEnd() : `${text.trimEnd()}\ncaused by: ${describe(cause)}`;
}
