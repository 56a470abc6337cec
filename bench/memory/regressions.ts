/**
 * The working tree against the last release, side by side in one process, and in several, as what the
 * engine has compiled when in one process alone decides over more than 5 %.
 *
 * @module
 */
import { root } from "../../tests/run/process.ts";
import { compare, conclude, lastRelease, type Release, type Slower } from "../release.ts";
import { type Figure, series } from "../report/report.ts";
import { keyOf, type Row } from "./bench.ts";
import { figureOf, sizes } from "./figures.ts";
import { findHost, type Host } from "./hosts.ts";
import { buildProgram } from "./program.ts";

const CONTENDERS = ["pipe", "pipe, consumesOnWrite", "pipeTo, counted"];
const IN_EACH_PROCESS = { rounds: 10, batchMs: 20, sizes };

/** Compares, looks again at what seems slower, in three times as many processes, and exits. */
export async function findRegressions(
  hosts: readonly string[],
  processes: number,
): Promise<never> {
  const release = await lastRelease();
  const slower: Slower[] = [];
  for (const name of hosts) {
    const host = await findHost(name).catch((error: Error) => error);
    if (host instanceof Error) {
      console.log(`\n${name}: not to be had\n${host.message}`);
      continue;
    }
    const group = `${name} ${host.version}`;
    const first = compare(await measure(group, host, release, processes), release);
    if (first.length === 0) continue;
    console.log("\nOnce more, with three times the rounds, what seems slower:");
    const wanted = first.map(({ figure, name }) => `${figure.title} ${name}`);
    slower.push(...compare(await measure(group, host, release, processes * 3, wanted), release));
  }
  conclude(slower, release);
}

/** Measures all, or what is named by a figure's title and a contender. */
async function measure(
  group: string,
  host: Host,
  { tag, folder }: Release,
  processes: number,
  wanted?: readonly string[],
): Promise<Figure[]> {
  const settings = { ...IN_EACH_PROCESS, wanted: keys(tag, wanted) };
  const rows = new Map<string, { row: Row; values: Record<string, number[]> }>();
  for (let run = 0; run < processes; run++) {
    const sides: [string, string][] = [["", root], [tag, folder]];
    if (run % 2 === 1) sides.reverse();
    const program = await buildProgram(Object.fromEntries(sides), settings);
    for (const row of await host.run(program)) {
      const key = `${row.source} ${row.size}`;
      const values: Record<string, number[]> = rows.get(key)?.values ?? {};
      rows.set(key, { row, values });
      for (const [name, micros] of Object.entries(row.micros)) {
        (values[name] ??= []).push(...micros);
      }
    }
  }
  return [...rows.values()].map(({ row, values }) => ({
    ...figureOf(group, row),
    series: Object.entries(values).map(([name, all]) => series(name, all)),
  }));
}

function keys(tag: string, wanted?: readonly string[]): string[] {
  const all: string[] = [];
  for (const source of ["default", "byte"] as const) {
    for (const size of sizes) {
      const { title } = figureOf("", { source, size, micros: {} });
      for (const name of CONTENDERS) {
        if (!(wanted?.includes(`${title} ${name}`) ?? true)) continue;
        all.push(keyOf(source, size, name), keyOf(source, size, `${name} (${tag})`));
      }
    }
  }
  return all;
}
