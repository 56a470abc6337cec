/**
 * `deno task test`: the static checks, then the tests on every runtime.
 *
 *     --only deno,node26,bun   these alone; `checks` is one of them
 *     --filter text            tests with the text in their name alone
 *     --require-all            a runtime that cannot be had is a failure
 *     --jobs 1                 so many runtimes at once (2)
 *     --file-timeout 180       seconds that one test file may take
 *
 * @module
 */
import { parseArgs } from "node:util";
import { runChecks } from "./checks.ts";
import { buildBundle, type Bundle } from "./bundle.ts";
import { buildPackage } from "./package.ts";
import { type Runtime, runtimes } from "./runtimes.ts";
import { Service } from "./service.ts";
import { runSuite } from "./suites.ts";
import { summary, table, type Tally } from "./tally.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    filter: { type: "string", default: "" },
    "require-all": { type: "boolean", default: false },
    jobs: { type: "string", default: "2" },
    "file-timeout": { type: "string", default: "180" },
  },
});

const all = ["checks", ...runtimes.map(({ name }) => name)];
const chosen = options.only?.split(",") ?? all;
const unknown = chosen.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown name '${unknown.join(",")}' after --only: use some of ${all.join(",")}`);
  Deno.exit(2);
}

const rows: Tally[] = [];
if (chosen.includes("checks")) rows.push(await runChecks());

const queue = runtimes.filter(({ name }) => chosen.includes(name));
if (queue.length > 0) rows.push(...await runAll(queue));

console.log(`\n${table(rows)}\n`);
console.log(summary(rows));
const passed = rows.some((row) => row.passed > 0) && rows.every((row) => row.failed === 0);
Deno.exit(passed ? 0 : 1);

/** Runs the tests on each of the runtimes, some at once. */
async function runAll(runtimes: readonly Runtime[]): Promise<Tally[]> {
  // The far side of the tests' connections.
  const peer = new Service([Deno.execPath(), "run", "-A", "--unstable-net", "tests/peer/main.ts"]);
  // Of this run alone: another one may be under way.
  const folder = await Deno.makeTempDir({ prefix: "join-tests-" });
  try {
    const { url }: { url: string } = JSON.parse(await peer.firstLine);
    let building: Promise<string> | undefined;
    let bundling: Promise<Bundle> | undefined;
    const suiteOptions = {
      requireAll: options["require-all"],
      fileTimeout: Number(options["file-timeout"]) * 1000,
      variables: { TEST_FILTER: options.filter, PEER_URL: url, ...replay() },
      project: () => building ??= buildPackage(),
      bundle: () => bundling ??= buildBundle(folder),
    };
    const queue = [...runtimes];
    const results = new Map<string, Tally>();
    await Promise.all(Array.from({ length: Number(options.jobs) }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        results.set(next.name, await runSuite(next, suiteOptions));
      }
    }));
    return runtimes.flatMap(({ name }) => results.get(name) ?? []);
  } finally {
    await peer.stop();
    await Deno.remove(folder, { recursive: true });
    if (peer.output) console.log(`\n── peer ──\n${peer.output}`);
  }
}

/** The variables for playing a failure again. */
function replay(): Record<string, string> {
  const names = ["ROUTES", "SCHEDULE"].flatMap((test) =>
    ["RUNS", "SEED", "PATH"].map((what) => `${test}_${what}`)
  );
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
