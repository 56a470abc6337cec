/**
 * `deno task bench:relay`: TCP relays, each as processes of its own under the same load, in turn, round by
 * round. Needs Linux and a C compiler.
 *
 *     --only forward,haproxy          these alone, by the start of their names
 *     --modes bulk,echo               these alone, of those in disciplines.ts
 *     --weights                       what a join weighs in each state, beside a few others
 *     --rounds 5
 *     --via 9100 --target 9101        the ports
 *     --quick                         one short round, to see that it works; its results are a draft
 *     --release                       the forwarder against the last release's; exits with 1 if that was faster
 *
 * @module
 */
import { parseArgs } from "node:util";
import { compare, conclude, lastRelease, type Release, type Slower, together } from "../release.ts";
import { machine } from "../report/machine.ts";
import { byContender, byFigure } from "../report/markdown.ts";
import { type Figure, series, timesAsGood } from "../report/report.ts";
import { type Charts, writeReport } from "../report/write.ts";
import { type Contender, contenders, type Prepared, weighed } from "./contenders.ts";
import { type Discipline, disciplines, modes, weights } from "./disciplines.ts";
import { compileLoad } from "./load.ts";
import { Relay } from "./relay.ts";

const BASE = "forward";
const FULL = {
  bulkBytes: 3_000_000_000,
  echoMessages: 60_000,
  churnConnections: 6_000,
  mixedMs: 5_000,
  crowdConnections: 1_000,
  idleConnections: 3_000,
  spentConnections: 500,
  stalledConnections: 1_000,
  stalledBytes: 1_000_000_000,
  slowConnections: 300,
  halfClosedConnections: 1_000,
  idleMs: 5_000,
};
const QUICK = {
  bulkBytes: 300_000_000,
  echoMessages: 6_000,
  churnConnections: 500,
  mixedMs: 1_000,
  crowdConnections: 100,
  idleConnections: 200,
  spentConnections: 50,
  stalledConnections: 300,
  stalledBytes: 300_000_000,
  slowConnections: 50,
  halfClosedConnections: 200,
  idleMs: 1_000,
};

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    modes: { type: "string" },
    weights: { type: "boolean", default: false },
    rounds: { type: "string" },
    via: { type: "string", default: "9100" },
    target: { type: "string", default: "9101" },
    quick: { type: "boolean", default: false },
    release: { type: "boolean", default: false },
  },
});
const ports = { via: Number(options.via), target: Number(options.target) };
const rounds = Number(options.rounds ?? (options.quick ? 1 : options.weights ? 3 : 5));
const inGeneral: readonly string[] = options.weights ? weights : modes;
const wantedModes = options.modes?.split(",") ?? inGeneral;
const unknown = wantedModes.find((mode) => !modes.some((one) => one === mode));
if (unknown !== undefined) {
  console.error(`No mode is named '${unknown}'; there are ${modes.join(", ")}`);
  Deno.exit(1);
}
const release = options.release ? await lastRelease() : undefined;
const load = await compileLoad("relay/load.c");
const name = options.weights ? "weights" : "relay";
const report = { name, date: new Date().toISOString(), rounds, machine: machine() };

const missing: Record<string, string> = {};
const versions: Record<string, string> = {};
const ready = await prepare();
const program = disciplines(options.quick ? QUICK : FULL)
  .filter(({ mode }) => wantedModes.includes(mode));
const figures = await measure([...ready], program, rounds);

console.log("\nIn brackets: how many times as good `forward` is.");
const charts: Record<string, Charts[string]> = {};
for (const mode of modes) {
  const own = figures.filter(({ group }) => group === mode);
  if (own.length === 0) continue;
  console.log(`\n## ${mode}\n`);
  console.log(byContender(own, (figure, { name }) => {
    return name === BASE ? null : timesAsGood(figure, BASE, name);
  }));
  charts[mode] = { title: `TCP relays, ${mode}`, figures: own.filter(isCharted), ours: isOurs };
}
const rows = figures.filter(({ unit }) => unit === "KiB a connection")
  .map((figure) => ({ ...figure, title: `${figure.group}, ${figure.title}` }));
if (rows.length > 1) console.log(`\n## What a join weighs\n\n${byFigure(rows, () => null)}`);
const draft = options.quick || options.release || options.only !== undefined ||
  options.modes !== undefined;
const table = { "": { title: "TCP relays, what a join weighs", figures: rows, ours: isOurs } };
const drawn = options.weights ? table : charts;
await writeReport({ ...report, versions, missing, figures }, drawn, draft);
for (const { group, title, series } of figures) {
  for (const { name, failures } of series) {
    for (const failure of failures ?? []) {
      console.log(`FAILED ${group}, ${title}: ${name}: ${failure}`);
    }
  }
}
if (release) await findRegressions(release);
if (figures.some(({ series }) => series.some(({ failures }) => failures))) Deno.exit(1);

/** Compares, looks again at what seems slower, and exits. */
async function findRegressions(release: Release): Promise<never> {
  const slower = compare(figures.filter(isFirst), release);
  if (slower.length === 0) conclude(slower, release);
  console.log("\nWhat seems slower, with twice the rounds more:");
  const again = await measure(
    [...ready].filter(([{ name }]) => slower.some((row) => name.startsWith(row.name))),
    program.filter((one) => slower.some(({ figure }) => isMeasuredBy(figure, one))),
    rounds * 2,
  );
  const known = ({ figure: { group, title }, name }: Slower) =>
    slower.some((row) =>
      row.name === name && row.figure.group === group && row.figure.title === title
    );
  const both = together(again.filter(isFirst), figures);
  conclude(compare(both, release).filter(known), release);
}

/** Those that can be had; says of the others why not. */
async function prepare(): Promise<Map<Contender, Prepared>> {
  const ready = new Map<Contender, Prepared>();
  const only = options.only ?? (release && BASE);
  const wanted = only?.split(",").filter((start) => start !== "");
  for (const contender of contenders(release)) {
    const { name } = contender;
    if (options.weights && !wanted && !weighed.includes(name)) continue;
    if (wanted && !wanted.some((start) => name.toLowerCase().startsWith(start.toLowerCase()))) {
      continue;
    }
    try {
      const prepared = await contender.prepare(ports);
      ready.set(contender, prepared);
      versions[prepared.version[0]] = prepared.version[1];
    } catch (error) {
      missing[name] = (error as Error).message;
      console.log(`${name}: ${missing[name]}`);
    }
  }
  return ready;
}

/** Each round has another order. */
async function measure(
  order: readonly (readonly [Contender, Prepared])[],
  program: readonly Discipline[],
  rounds: number,
): Promise<Figure[]> {
  const results = program.map((discipline) => ({
    discipline,
    of: new Map<Contender, Outcome[]>(),
  }));
  for (const { discipline: { mode } } of results) {
    for (const [{ name, without }] of order) {
      if (without?.[mode]) missing[`${name}, ${mode}`] = without[mode];
    }
  }
  for (let round = 0; round < rounds; round++) {
    const first = round % Math.max(1, order.length);
    const turned = [...order.slice(first), ...order.slice(0, first)];
    for (const { discipline, of } of results) {
      for (const [contender, prepared] of round % 2 === 0 ? turned : turned.toReversed()) {
        if (contender.without?.[discipline.mode]) continue;
        const outcome = await attempt(prepared, discipline);
        of.set(contender, [...of.get(contender) ?? [], outcome]);
        if (outcome instanceof Error) {
          console.log(`${contender.name}, ${discipline.mode}: FAILED: ${outcome.message}`);
        }
      }
    }
    console.log(`Round ${round + 1} of ${rounds} is over.`);
  }
  return results.filter(({ of }) => of.size > 0).flatMap(({ discipline: { mode, measures }, of }) =>
    measures.map((measure, index) => ({
      group: mode,
      ...measure,
      series: [...of].map(([contender, outcomes]) => {
        const values = outcomes.map((one) => one instanceof Error ? null : one[index]!);
        const failures = outcomes.flatMap((one) => one instanceof Error ? [one.message] : []);
        return series(contender.name, values, failures);
      }),
    }))
  );
}

type Outcome = number[] | Error;

async function attempt(prepared: Prepared, discipline: Discipline): Promise<Outcome> {
  try {
    await using relay = await Relay.start(prepared, ports.via);
    return await discipline.run(relay, load, ports);
  } catch (error) {
    return error as Error;
  }
}

/** Whether it is the first measure of its discipline. */
function isFirst(figure: Figure): boolean {
  return program.some((discipline) => isMeasuredBy(figure, discipline));
}

function isCharted(figure: Figure): boolean {
  return program.some((one) => isMeasuredBy(figure, one, one.charted));
}

function isMeasuredBy(
  { group, title }: Figure,
  { mode, measures }: Discipline,
  firstOnes = 1,
): boolean {
  return group === mode && measures.slice(0, firstOnes).some((one) => one.title === title);
}

function isOurs(name: string): boolean {
  return [...ready.keys()].some((contender) => contender.name === name && contender.ours);
}
