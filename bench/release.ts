/**
 * The last published release, to compare the working tree with.
 *
 * @module
 */
import { root, run } from "../tests/tools/process.ts";
import { type Figure, series } from "./report/report.ts";
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

/** A figure in which a contender is slower than the release's. */
export interface Slower {
  readonly figure: Figure;
  readonly name: string;
}

/** Prints how each contender that the release has too compares with it; gives the regressions. */
export function compare(figures: readonly Figure[], { tag }: Release): Slower[] {
  const slower: Slower[] = [];
  console.log(`\nHow many times as good as ${tag}, in the median of the rounds' ratios:\n`);
  for (const figure of figures) {
    for (const { name, values } of figure.series) {
      const before = figure.series.find((other) => other.name === `${name} (${tag})`);
      if (!before) continue;
      const ratio = pairedRatio(values, before.values);
      const times = ratio === null ? 0 : figure.better === "more" ? ratio : 1 / ratio;
      const worse = times < 1 / TOLERANCE;
      if (worse) slower.push({ figure, name });
      console.log(`${times.toFixed(3)}  ${rowName({ figure, name })}${worse ? "  SLOWER" : ""}`);
    }
  }
  return slower;
}

/** What a second look has found, with the values of the first one too. */
export function together(again: readonly Figure[], looked: readonly Figure[]): Figure[] {
  return again.map((figure) => {
    const before = looked.find(({ group, title }) =>
      group === figure.group && title === figure.title
    )!;
    const both = figure.series.map(({ name, values }) => {
      const first = before.series.find((other) => other.name === name)!;
      return series(name, [...first.values, ...values]);
    });
    return { ...figure, series: both };
  });
}

/** Prints what is slower after all, and exits. */
export function conclude(slower: readonly Slower[], { tag }: Release): never {
  if (slower.length === 0) {
    console.log(`\nNothing is more than 5 % slower than ${tag}.`);
    Deno.exit(0);
  }
  console.log(`\nMore than 5 % slower than ${tag}:`);
  for (const row of slower) console.log(`- ${rowName(row)}`);
  Deno.exit(1);
}

function rowName({ figure: { group, title }, name }: Slower): string {
  return `${group}, ${title}: ${name}`;
}
