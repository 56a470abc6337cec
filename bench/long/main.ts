/**
 * `deno task bench:long`: many gigabytes through one join of two TCP connections in this process. What a
 * gigabyte takes must not grow, nor what is resident: exits with 1 if it does. Needs Linux and a C compiler,
 * for the load.
 *
 *     --gigabytes 10
 *     --via 9104 --target 9105   the ports
 *     --quick                    1 GB, to see that it works; its results are a draft
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { join, type JoinStats } from "../../mod.ts";
import { compileLoad, Load } from "../relay/load.ts";
import { delay } from "../relay/relay.ts";
import { machine } from "../report/machine.ts";
import { byFigure } from "../report/markdown.ts";
import { type Figure, series } from "../report/report.ts";
import { writeReport } from "../report/write.ts";

const HOSTNAME = "127.0.0.1";
const PARTS = 10;
const POLL_MS = 5;
/** How far the last parts may be above the first ones, of which the very first warms up. */
const TOLERANCE = 1.25;

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    gigabytes: { type: "string" },
    via: { type: "string", default: "9104" },
    target: { type: "string", default: "9105" },
    quick: { type: "boolean", default: false },
  },
});
const gigabytes = Number(options.gigabytes ?? (options.quick ? 1 : 10));
const total = gigabytes * 1e9;
const report = { name: "long", date: new Date().toISOString(), rounds: 1, machine: machine() };

const load = await compileLoad("relay/load.c");
const stats: JoinStats = {};
const joined = serve();
// A minute for each gigabyte is far more than any takes.
await using running = new Load(
  load,
  ["bulk", options.via, options.target, total, 1],
  gigabytes * 60_000,
);
const parts = await sample();
const { aToB } = await joined;
if (aToB.bytes !== total) throw new Error(`${aToB.bytes} of ${total} bytes were counted`);
await running.answer();

const group = `${gigabytes} GB through one join`;
const figures: Figure[] = [
  figure("time", "s/GB", parts.map(({ seconds }) => seconds)),
  figure("CPU", "s/GB", parts.map(({ cpu }) => cpu)),
  figure("resident", "MiB", parts.map(({ rss }) => rss)),
];
console.log(`## ${group}\n`);
for (const one of figures) console.log(`${byFigure([one], () => null)}\n`);
await writeReport(
  { ...report, versions: { Deno: Deno.version.deno }, missing: {}, figures },
  { "": { title: group, figures, ours: () => true } },
  options.quick,
);
const grown = figures.filter(({ title }) => title !== "time").filter(grows);
for (const { title } of grown) console.log(`GROWS: ${title}`);
await running[Symbol.asyncDispose]();
Deno.exit(grown.length > 0 ? 1 : 0);

async function serve() {
  using listener = Deno.listen({ hostname: HOSTNAME, port: Number(options.via) });
  const client = await listener.accept();
  const server = await Deno.connect({ hostname: HOSTNAME, port: Number(options.target) });
  return await join(client, server, { stats });
}

interface Part {
  /** For a gigabyte. */
  readonly seconds: number;
  readonly cpu: number;
  /** MiB at its end. */
  readonly rss: number;
}

async function sample(): Promise<Part[]> {
  const parts: Part[] = [];
  while (!stats.aToB?.bytes) await delay(POLL_MS);
  const ended = joined.then(() => true);
  let last = now();
  while (parts.length < PARTS) {
    const over = await Promise.race([ended, delay(POLL_MS)]);
    const next = now();
    if (next.bytes < total / PARTS * (parts.length + 1)) {
      if (over) break;
      continue;
    }
    const passed = (next.bytes - last.bytes) / 1e9;
    parts.push({
      seconds: (next.ms - last.ms) / 1000 / passed,
      cpu: (next.cpu - last.cpu) / passed,
      rss: Deno.memoryUsage().rss / 1024 ** 2,
    });
    last = next;
  }
  return parts;
}

function now(): { bytes: number; ms: number; cpu: number } {
  const { user, system } = process.cpuUsage();
  return { bytes: stats.aToB?.bytes ?? 0, ms: performance.now(), cpu: (user + system) / 1e6 };
}

function figure(title: string, unit: string, values: readonly number[]): Figure {
  const all = values.map((value, index) => series(`${(index + 1) * 100 / PARTS} %`, [value]));
  return { group, title, unit, better: "less", series: all };
}

function grows({ series }: Figure): boolean {
  const mean = (from: number, to: number) =>
    series.slice(from, to).reduce((sum, { median }) => sum + median!, 0) / (to - from);
  return mean(PARTS - 3, PARTS) > TOLERANCE * mean(1, 4);
}
