/**
 * One `test` for every runtime: registers with whichever runner executes the file.
 *
 * @module
 */
import { collect } from "./support/collector.ts";
import { environment, type Runtime, runtime } from "./support/environment.ts";

export { type Runtime, runtime };

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
type Register = (
  name: string,
  body: () => Promise<void>,
  timeout: number,
) => void;

const register = await registrar(runtime);
let unfinished = 0;
const { process } = globalThis as { process?: typeof import("node:process") };
process?.once("exit", failIfUnfinished);

/** Registers a test. */
export function test(name: string, body: Body): void;
/** Registers a test with options. */
export function test(name: string, options: TestOptions, body: Body): void;
export function test(
  name: string,
  optionsOrBody: TestOptions | Body,
  body?: Body,
): void {
  const options = typeof optionsOrBody === "function" ? {} : optionsOrBody;
  const run = typeof optionsOrBody === "function" ? optionsOrBody : body;
  if (run === undefined) {
    throw new TypeError(`Cannot register '${name}' without a function`);
  }
  if (options.on && !options.on.includes(runtime)) return;
  if (!name.includes(environment.filter)) return;
  const timeout = options.timeout ?? 60_000;
  unfinished++;
  register(name, () => within(timeout, run).finally(finished), timeout);
}

function finished(): void {
  unfinished--;
  if (runtime === "node" && unfinished === 0) {
    setTimeout(exitWithLeftovers, 10_000).unref();
  }
}

/** A bound of our own, as each runner has another one or none. */
async function within(timeout: number, body: Body): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Test took longer than ${timeout} ms`)),
      timeout,
    );
  });
  try {
    await Promise.race([body(), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** What runs a page, a Worker or Node collects them; see collector.ts. */
function registrar(runtime: Runtime): Register | Promise<Register> {
  if (runtime === "deno") return registerWithDeno;
  if (runtime === "bun") return registerWithBun();
  return collect;
}

function registerWithDeno(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name,
    fn,
    sanitizeOps: true,
    sanitizeResources: true,
    sanitizeExit: true,
  });
}

async function registerWithBun(): Promise<Register> {
  // In a variable, as Deno's type check does not know the scheme.
  const specifier: string = "bun:test";
  const bun: { test: Register } = await import(specifier);
  // Later than our own bound, which says what happened.
  return (name, body, timeout) => bun.test(name, body, timeout + 5_000);
}

/** A test that ends the process would take those after it along, unseen. */
function failIfUnfinished(): void {
  if (unfinished === 0) return;
  console.error(`The process ended before ${unfinished} of its tests`);
  if (process) process.exitCode = 1;
}

/** Node would wait for ever for what Deno fails a test over: a timer, a socket left behind. */
function exitWithLeftovers(): void {
  if (unfinished > 0) return;
  console.error(
    `Left behind by the tests: ${process?.getActiveResourcesInfo().join(", ")}`,
  );
  process?.exit(1);
}
