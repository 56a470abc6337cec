/**
 * `deno task test`: the static checks, then the tests on every runtime; `--help` tells the flags.
 *
 * @module
 */
import { buildBundle, type Bundle } from "./bundle.ts";
import { runChecks } from "./checks.ts";
import { parseOptions } from "./options.ts";
import { buildPackage } from "./package.ts";
import { runtimes, type TestedRuntime } from "./runtimes.ts";
import { Program } from "../tools/program.ts";
import { slowest } from "./slowest.ts";
import { runSuites, type SuiteResult } from "./suites.ts";
import { summary, table, type Tally } from "./tally.ts";

const options = parseOptions(Deno.args, ["checks", ...runtimes.map(({ name }) => name)]);
const chosen = runtimes.filter(({ name }) => options.only.includes(name));
if (chosen.length > 0 && !await anyFile(chosen)) {
  fail(`No test file of ${options.only.join(", ")} has '${options.file}' in its path`);
}

const rows: Tally[] = [];
if (options.only.includes("checks")) rows.push(await runChecks());
const suites = chosen.length > 0 ? await runAll(chosen) : [];
rows.push(...suites);

if (options.slowest > 0) {
  for (const { name, files } of suites) {
    console.log(`\n${slowest(name, files, options.slowest)}`);
  }
}
console.log(`\n${table(rows)}\n`);
console.log(summary(rows));
if (rows.some(({ failed }) => failed > 0)) Deno.exit(1);
if (rows.every(({ passed }) => passed === 0)) {
  fail(options.filter ? `No test has '${options.filter}' in its name` : "No test was run");
}
// Whatever a browser has left running.
Deno.exit(0);

function fail(message: string): never {
  console.error(message);
  Deno.exit(1);
}

/** Whether any of the runtimes has a test file that is asked for. */
async function anyFile(runtimes: readonly TestedRuntime[]): Promise<boolean> {
  const files = await Promise.all(runtimes.map((runtime) => runtime.files()));
  return files.flat().some((file) => file.includes(options.file));
}

/** Runs the tests on each of the runtimes. */
async function runAll(runtimes: readonly TestedRuntime[]): Promise<SuiteResult[]> {
  // The far side of the tests' connections.
  const peer = new Program([Deno.execPath(), "run", "-A", "--unstable-net", "tests/peer/main.ts"]);
  // Of this run alone: another one may be under way.
  const folder = await Deno.makeTempDir({ prefix: "join-tests-" });
  try {
    const { url }: { url: string } = JSON.parse(await peer.line());
    let building: Promise<string> | undefined;
    let bundling: Promise<Bundle> | undefined;
    return await runSuites(runtimes, {
      ...options,
      variables: { TEST_FILTER: options.filter, PEER_URL: url, ...options.replay },
      project: () => building ??= buildPackage(),
      bundle: () => bundling ??= buildBundle(folder),
    });
  } finally {
    await peer.stop();
    await Deno.remove(folder, { recursive: true });
    if (peer.output) console.log(`\n── peer ──\n${peer.output}`);
  }
}
