/**
 * The working tree against the last release: side by side in one process, and that by pairs, in one of
 * which the one is loaded first and in the other the other, as that alone can be worth more than 5 %.
 *
 * @module
 */
import { root } from "../../tests/tools/process.ts";
import { compare, conclude, lastRelease, type Release, type Slower, together } from "../release.ts";
import { type Figure, series } from "../report/report.ts";
import { median } from "../report/statistics.ts";
import { keyOf, type Row } from "./bench.ts";
import { figureOf, sizes } from "./figures.ts";
import { findHost, type Host } from "./hosts.ts";
import { buildProgram } from "./program.ts";

const CONTENDERS = ["pipe", "pipe, consumesOnWrite", "pipeTo, counted"];
const IN_EACH_PROCESS = { rounds: 10, batchMs: 20, warmMs: 100, sizes };

/** Compares, looks again at what seems slower, in more processes, and exits. */
export async function findRegressions(hosts: readonly string[], pairs: number): Promise<never> {
  const release = await lastRelease();
  const slower: Slower[] = [];
  for (const name of hosts) {
    const host = await findHost(name).catch((error: Error) => error);
    if (host instanceof Error) {
      console.log(`\n${name}: not to be had\n${host.message}`);
      continue;
    }
    const group = `${name} ${host.version}`;
    const looked = await measure(group, host, release, pairs);
    const first = compare(looked, release);
    if (first.length === 0) continue;
    console.log("\nWhat seems slower, with twice the rounds more:");
    const wanted = first.map(({ figure, name }) => `${figure.title} ${name}`);
    const again = await measure(group, host, release, pairs * 2, wanted);
    slower.push(...compare(together(again, looked), release));
  }
  conclude(slower, release);
}

/** Measures all, or what is named by a figure's title and a contender. A pair gives a value. */
async function measure(
  group: string,
  host: Host,
  { tag, folder }: Release,
  pairs: number,
  wanted?: readonly string[],
): Promise<Figure[]> {
  const settings = { ...IN_EACH_PROCESS, wanted: keys(tag, wanted) };
  const figures = new Map<string, { figure: Figure; values: Map<string, number[]> }>();
  for (let pair = 0; pair < pairs; pair++) {
    const one = await host.run<Row>(await buildProgram({ "": root, [tag]: folder }, settings));
    const two = await host.run<Row>(await buildProgram({ [tag]: folder, "": root }, settings));
    for (const [index, row] of one.entries()) {
      const figure = figureOf(group, row);
      const { values } = figures.get(figure.title) ?? { values: new Map() };
      figures.set(figure.title, { figure, values });
      for (const [name, micros] of Object.entries(row.micros)) {
        const mean = Math.sqrt(median(micros)! * median(two[index]!.micros[name]!)!);
        values.set(name, [...values.get(name) ?? [], mean]);
      }
    }
  }
  return [...figures.values()].map(({ figure, values }) => ({
    ...figure,
    series: [...values].map(([name, all]) => series(name, all)),
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
