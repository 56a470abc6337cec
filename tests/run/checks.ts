/**
 * The static checks: one command each, passed or failed.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { run } from "../tools/process.ts";
import { type Tally, tally } from "./tally.ts";

const entries = Object.values(config.exports);

const checks: readonly string[][] = [
  ["fmt", "--check"],
  ["lint"],
  ["check"],
  ["doc", "--lint", ...entries],
  ["test", "-A", "--doc", "mod.ts", "src", "README.md", ".github"],
  ["publish", "--dry-run", "--allow-dirty"],
  // Whether the table of ends is up to date.
  ["run", "-A", "tests/contract/table.ts", "--check"],
  // Whether imports point down.
  ["run", "-A", "tests/run/imports.ts"],
];

/** Runs every check, and shows what those which failed print. */
export async function runChecks(): Promise<Tally> {
  const result = tally("checks");
  const start = performance.now();
  for (const args of checks) {
    const { success, output } = await run([Deno.execPath(), ...args]);
    console.log(`${success ? "passed" : "FAILED"}  deno ${args.join(" ")}`);
    if (success) result.passed++;
    else result.failed++;
    if (!success) console.log(output);
  }
  result.seconds = (performance.now() - start) / 1000;
  return result;
}
