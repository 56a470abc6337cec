/**
 * One `test` for every runtime: registers with whichever runner executes the file.
 *
 * @module
 */
import process from "node:process";

/** A runtime that the tests run on. */
export type Runtime = "deno" | "bun" | "node";

/** Options of {@linkcode test}. */
export interface TestOptions {
  /**
   * The runtimes this test is for; it is not registered on others.
   *
   * @default {every runtime}
   */
  on?: readonly Runtime[];
  /**
   * Milliseconds until the test fails.
   *
   * @default {60_000}
   */
  timeout?: number;
}

type Body = () => void | Promise<void>;
type Register = (name: string, body: () => Promise<void>, timeout: number) => void;

/** The runtime that runs this file. */
export const runtime: Runtime = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

const registrars: Record<Runtime, () => Promise<Register>> = {
  deno: registerWithDeno,
  bun: registerWithBun,
  node: registerWithNode,
};
const register = await registrars[runtime]();
const filter = process.env.TEST_FILTER ?? "";
let unfinished = 0;
process.once("exit", failIfUnfinished);

/** Registers a test. */
export function test(name: string, body: Body): void;
/** Registers a test with options. */
export function test(name: string, options: TestOptions, body: Body): void;
export function test(name: string, optionsOrBody: TestOptions | Body, body?: Body): void {
  const options = typeof optionsOrBody === "function" ? {} : optionsOrBody;
  const run = typeof optionsOrBody === "function" ? optionsOrBody : body;
  if (run === undefined) throw new TypeError(`Cannot register '${name}' without a function`);
  if (options.on && !options.on.includes(runtime)) return;
  if (!name.includes(filter)) return;
  const timeout = options.timeout ?? 60_000;
  unfinished++;
  register(name, () => within(timeout, run).finally(finished), timeout);
}

function finished(): void {
  unfinished--;
  if (runtime === "node" && unfinished === 0) setTimeout(exitWithLeftovers, 10_000).unref();
}

/** A bound of our own, as each runner has another one or none. */
async function within(timeout: number, body: Body): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Test took longer than ${timeout} ms`)), timeout);
  });
  try {
    await Promise.race([body(), expired]);
  } finally {
    clearTimeout(timer);
  }
}

function registerWithDeno(): Promise<Register> {
  return Promise.resolve((name, fn) =>
    Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true, sanitizeExit: true })
  );
}

async function registerWithBun(): Promise<Register> {
  // In a variable, as Deno's type check does not know the scheme.
  const specifier: string = "bun:test";
  const bun: { test: Register } = await import(specifier);
  // Later than our own bound, which says what happened.
  return (name, body, timeout) => bun.test(name, body, timeout + 5_000);
}

async function registerWithNode(): Promise<Register> {
  const node = await import("node:test");
  return (name, body) => void node.test(name, body);
}

/** A test that ends the process would take those after it along, unseen. */
function failIfUnfinished(): void {
  if (unfinished === 0) return;
  console.error(`The process ended before ${unfinished} of its tests`);
  process.exitCode = 1;
}

/** Node would wait for ever for what Deno fails a test over: a timer, a socket left behind. */
function exitWithLeftovers(): void {
  if (unfinished > 0) return;
  console.error(`Left behind by the tests: ${process.getActiveResourcesInfo().join(", ")}`);
  process.exit(1);
}
