/**
 * `deno task bench:websocket`: a relay from WebSockets to TCP by `join`, on Bun and on Deno, the same by
 * hand, and websockify (Debian's, with python3-numpy), each as a process of its own under the same load, in
 * turn, round by round. Needs Linux and a C compiler.
 *
 *     --only websockify,bun    these alone, by the start of their names
 *     --rounds 5
 *     --quick                  one short round, to see that it works; its results are a draft
 *
 * @module
 */
import { parseArgs } from "node:util";
import { installed } from "../../tests/run/executables.ts";
import { root } from "../../tests/run/process.ts";
import { runtimes } from "../../tests/run/runtimes.ts";
import { compileLoad, Load } from "../relay/load.ts";
import { Relay } from "../relay/relay.ts";
import { machine, versionOf } from "../report/machine.ts";
import { byContender } from "../report/markdown.ts";
import { type Figure, series, timesAsGood } from "../report/report.ts";
import { writeReport } from "../report/write.ts";

// The relay has them too.
const [VIA, TARGET] = [9102, 9103];
const RELAY = `${root}/bench/websocket/relay.ts`;
const BASE = "websockify";

interface Contender {
  readonly name: string;
  readonly runsOn: string;
  readonly executable: () => Promise<string>;
  readonly args: readonly string[];
}

const deno = () => Promise.resolve(Deno.execPath());
const bun = () => runtimes.find(({ name }) => name === "bun")!.executable();
const all: readonly Contender[] = [
  {
    name: "websockify",
    runsOn: "websockify",
    executable: () => installed("websockify"),
    args: [`127.0.0.1:${VIA}`, `127.0.0.1:${TARGET}`],
  },
  { name: "Bun, join", runsOn: "Bun", executable: bun, args: [RELAY] },
  { name: "Bun, by hand", runsOn: "Bun", executable: bun, args: [RELAY, "--by-hand"] },
  { name: "Deno, join", runsOn: "Deno", executable: deno, args: ["run", "-A", RELAY] },
  {
    name: "Deno, by hand",
    runsOn: "Deno",
    executable: deno,
    args: ["run", "-A", RELAY, "--by-hand"],
  },
];

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
const part = options.quick ? 10 : 1;
/** The arguments of the load generator, after the ports. */
const loads = [
  { kind: "bulk", title: "bulk, frames of 64 KiB", unit: "GB/s", args: [1e9 / part, 65_536] },
  {
    kind: "echo",
    title: "64 B, 64 connections",
    unit: "messages/s",
    args: [60_000 / part, 64, 64],
  },
];

const report = { name: "websocket", date: new Date().toISOString(), rounds, machine: machine() };
const load = await compileLoad("websocket/load.c");
const versions: Record<string, string> = {};
const missing: Record<string, string> = {};
const ready = await prepare();
const figures = await measure();

console.log(`\nIn brackets: how many times as good as ${BASE}.\n`);
console.log(byContender(figures, (figure, { name }) => {
  return name === BASE ? null : timesAsGood(figure, name, BASE);
}));
const title = "WebSocket to TCP";
const ours = (name: string) => name.endsWith("join");
const draft = options.quick || options.only !== undefined;
await writeReport(
  { ...report, versions, missing, figures },
  { "": { title, figures, ours } },
  draft,
);

async function prepare(): Promise<Map<Contender, string[]>> {
  const ready = new Map<Contender, string[]>();
  const wanted = options.only?.toLowerCase().split(",");
  for (const contender of all) {
    const { name, runsOn, args } = contender;
    if (wanted && !wanted.some((start) => name.toLowerCase().startsWith(start))) continue;
    try {
      const executable = await contender.executable();
      versions[runsOn] ??= await (name === BASE ? packaged(BASE) : versionOf(executable));
      ready.set(contender, [executable, ...args]);
    } catch (error) {
      missing[name] = (error as Error).message;
      console.log(`${name}: ${missing[name]}`);
    }
  }
  return ready;
}

/** It does not tell its own version. */
function packaged(name: string): Promise<string> {
  return versionOf("dpkg-query", "-W", name).catch(() => "unknown");
}

/** Each round begins with another relay. */
async function measure(): Promise<Figure[]> {
  const values = loads.map(() =>
    new Map<string, { values: (number | null)[]; failures: string[] }>()
  );
  const order = [...ready];
  for (let round = 0; round < rounds; round++) {
    const first = round % Math.max(1, order.length);
    for (const [{ name }, command] of [...order.slice(first), ...order.slice(0, first)]) {
      for (const [index, { kind, args }] of loads.entries()) {
        const own = values[index]!.get(name) ?? { values: [], failures: [] };
        values[index]!.set(name, own);
        try {
          own.values.push(await under(command, [kind, VIA, TARGET, ...args]));
        } catch (error) {
          own.values.push(null);
          own.failures.push((error as Error).message);
          console.log(`${name}, ${kind}: FAILED: ${own.failures.at(-1)}`);
        }
      }
    }
  }
  return loads.map(({ title, unit }, index) => ({
    group: "WebSocket to TCP",
    title,
    unit,
    better: "more" as const,
    series: order.map(([{ name }]) => {
      const own = values[index]!.get(name)!;
      return series(name, own.values, own.failures);
    }),
  }));
}

/** What the load says of a relay: one number. */
async function under(command: string[], args: (string | number)[]): Promise<number> {
  await using _relay = await Relay.start({ command }, VIA);
  await using running = new Load(load, args);
  return (await running.answer()).rate!;
}
