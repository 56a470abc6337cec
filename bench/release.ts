/**
 * The last published release, to compare the working tree with.
 *
 * @module
 */
import { root, run } from "../tests/run/process.ts";
import type { Figure } from "./report/report.ts";
import { pairedRatio } from "./report/statistics.ts";

/** How much slower than the release, in the median, is a regression. */
const TOLERANCE = 1.05;

/** A release, as it lies in a folder of its own. */
export interface Release {
  readonly tag: string;
  readonly folder: string;
}

/** The newest one; says so and exits if there is none. */
export async function lastRelease(): Promise<Release> {
  const { output } = await git("tag", "--list", "v*", "--sort=-v:refname");
  const tag = output.split("\n")[0];
  if (!tag) {
    console.log("no release yet: nothing to compare with");
    Deno.exit(0);
  }
  const folder = `${root}/.cache/release/${tag}`;
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  const archive = `${folder}/source.tar`;
  for (
    const command of [
      ["git", "archive", `--output=${archive}`, tag],
      ["tar", "-xf", archive, "-C", folder],
    ]
  ) {
    const { success, output } = await run(command);
    if (!success) throw new Error(`${command.join(" ")}\n${output}`);
  }
  return { tag, folder };
}

async function git(...args: string[]): Promise<{ output: string }> {
  const { success, output } = await run(["git", ...args]);
  if (!success) throw new Error(`git ${args.join(" ")}\n${output}`);
  return { output };
}

/** Prints how each figure compares with the release's, and exits with 1 if one is a regression. */
export function judge(figures: readonly Figure[], { tag }: Release): void {
  const slower: string[] = [];
  console.log(`\nHow many times as good as ${tag}, in the median of the rounds' ratios:\n`);
  for (const { group, title, better, series } of figures) {
    for (const { name, values } of series) {
      const before = series.find((other) => other.name === `${name} (${tag})`);
      if (!before) continue;
      const ratio = pairedRatio(values, before.values);
      const row = `${group}, ${title}: ${name}`;
      if (ratio === null) {
        slower.push(`${row} (failed)`);
        continue;
      }
      const times = better === "more" ? ratio : 1 / ratio;
      const worse = times < 1 / TOLERANCE;
      if (worse) slower.push(row);
      console.log(`${times.toFixed(3)}  ${row}${worse ? "  SLOWER" : ""}`);
    }
  }
  if (slower.length === 0) return console.log(`\nNothing is more than 5 % slower than ${tag}.`);
  console.log(`\nMore than 5 % slower than ${tag}:\n${slower.map((row) => `- ${row}`).join("\n")}`);
  Deno.exit(1);
}
