/**
 * `deno task test`: the static checks, then the tests on every runtime; `--help` tells the flags.
 *
 * @module
 */
import { buildBundle, type Bundle } from "./bundle.ts";
import { runChecks } from "./checks.ts";
import { parseOptions } from "./options.ts";
import { buildPackage } from "./package.ts";
import { type Runtime, runtimes } from "./runtimes.ts";
import { Service } from "./service.ts";
import { runSuites } from "./suites.ts";
import { summary, table, type Tally } from "./tally.ts";

const options = parseOptions(Deno.args, ["checks", ...runtimes.map(({ name }) => name)]);

const rows: Tally[] = [];
if (options.only.includes("checks")) rows.push(await runChecks());

const chosen = runtimes.filter(({ name }) => options.only.includes(name));
if (chosen.length > 0) rows.push(...await runAll(chosen));

console.log(`\n${table(rows)}\n`);
console.log(summary(rows));
const passed = rows.some((row) => row.passed > 0) && rows.every((row) => row.failed === 0);
Deno.exit(passed ? 0 : 1);

/** Runs the tests on each of the runtimes. */
async function runAll(runtimes: readonly Runtime[]): Promise<Tally[]> {
  // The far side of the tests' connections.
  const peer = new Service([Deno.execPath(), "run", "-A", "--unstable-net", "tests/peer/main.ts"]);
  // Of this run alone: another one may be under way.
  const folder = await Deno.makeTempDir({ prefix: "join-tests-" });
  try {
    const { url }: { url: string } = JSON.parse(await peer.firstLine);
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
