/**
 * Where the tests run, and what they are told about it: by variables, which the runner puts into the
 * pages and Workers, as these have none.
 *
 * @module
 */

/** A runtime that the tests run on. */
export type Runtime =
  | "deno"
  | "bun"
  | "node"
  | "workerd"
  | "chromium"
  | "firefox"
  | "webkit";

/** What the runner puts into a page or a Worker, before anything else runs there. */
export interface Injected {
  readonly runtime: Runtime;
  readonly variables: Readonly<Record<string, string>>;
}

/** What a run of the tests is given. */
export interface Environment {
  /** Tests with this in their name alone; all if empty. */
  readonly filter: string;
  /** Where the helper listens that is the far side of connections; see `tests/peer`. */
  readonly peer?: string;
}

const { testEnvironment: injected, process } = globalThis as {
  testEnvironment?: Injected;
  process?: typeof import("node:process");
};

/** The runtime that runs this file. */
export const runtime: Runtime = injected
  ? injected.runtime
  : "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

/** The runtime, and of Node its major version as well: `node20`. */
export const platform: string = runtime === "node"
  ? `node${process?.versions.node.split(".")[0]}`
  : runtime;

/** The runtimes that have byte streams: WebKitGTK 2.50 has none. `deviations_test.ts` looks. */
export const WITH_BYTE_STREAMS: readonly Runtime[] = [
  ...["deno", "bun", "node", "workerd", "chromium", "firefox"] as const,
];

/** Whether this one has them. */
export const byteStreams: boolean = WITH_BYTE_STREAMS.includes(runtime);

/** A variable's value. */
export function variable(name: string): string | undefined {
  return (injected?.variables ?? process?.env)?.[name];
}

/** What this run was given. */
export const environment: Environment = {
  filter: variable("TEST_FILTER") ?? "",
  peer: variable("PEER_URL"),
};
