/**
 * Results as files, for the README and for whoever wants to count again.
 *
 * @module
 */
import { root, run } from "../../tests/tools/process.ts";
import type { Report } from "./report.ts";
import { type Chart, svg } from "./svg.ts";

/** Charts, each by what its file's name has after the report's. */
export type Charts = Readonly<Record<string, Omit<Chart, "caption">>>;

/**
 * Writes `bench/results/NAME.json` and its charts. What a shortened run has found is a `draft`, so that it
 * does not replace what a whole one has.
 */
export async function writeReport(report: Report, charts: Charts, draft: boolean): Promise<void> {
  const folder = `${root}/bench/results`;
  await Deno.mkdir(folder, { recursive: true });
  const kind = draft ? ".draft" : "";
  const json = `${folder}/${report.name}${kind}.json`;
  await Deno.writeTextFile(json, `${JSON.stringify(report, rounded, 2)}\n`);
  await run([Deno.execPath(), "fmt", "--quiet", json]);
  const written = [json];
  for (const [suffix, chart] of Object.entries(charts)) {
    const file = `${folder}/${report.name}${suffix && `-${suffix}`}${kind}.svg`;
    await Deno.writeTextFile(file, svg({ ...chart, caption: caption(report) }));
    written.push(file);
  }
  const names = written.map((file) => file.slice(root.length));
  console.log(`\n${caption(report).join("\n")}\nWritten: ${names.join(", ")}`);
}

function caption({ date, rounds, machine, versions }: Report): string[] {
  const { cpu, cores, kernel, load } = machine;
  return [
    `${date.slice(0, 10)}, ${
      rounds === 1 ? "1 round" : `medians of ${rounds} rounds`
    }, ${cores} cores (${cpu}), ${kernel}, ` +
    `load ${load[0]} at the start`,
    ...lines(Object.entries(versions).map(([name, version]) => `${name} ${version}`)),
  ];
}

/** Broken where a chart ends. */
function lines(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 135) lines.push(word);
    else lines[lines.length - 1] = `${last}, ${word}`;
  }
  return lines;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(6)) : value;
}
