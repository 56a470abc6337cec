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
import { buildPackage } from "./package.ts";
import { runtimes } from "./runtimes.ts";
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

let building: Promise<string> | undefined;
const suiteOptions = {
  filter: options.filter,
  requireAll: options["require-all"],
  fileTimeout: Number(options["file-timeout"]) * 1000,
  project: () => building ??= buildPackage(),
};
const queue = runtimes.filter(({ name }) => chosen.includes(name));
const results = new Map<string, Tally>();
await Promise.all(Array.from({ length: Number(options.jobs) }, async () => {
  for (let next = queue.shift(); next; next = queue.shift()) {
    results.set(next.name, await runSuite(next, suiteOptions));
  }
}));
for (const { name } of runtimes) {
  const result = results.get(name);
  if (result) rows.push(result);
}

console.log(`\n${table(rows)}\n`);
console.log(summary(rows));
const passed = rows.some((row) => row.passed > 0) && rows.every((row) => row.failed === 0);
Deno.exit(passed ? 0 : 1);
