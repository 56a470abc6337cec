/**
 * `deno task bench:websocket`: a relay from WebSockets to TCP by `join`, on Bun and on Deno, the same by
 * hand, and websockify (Debian's, with python3-numpy); and a proxy from WebSockets to WebSockets, on Node as
 * well, beside `http-proxy-3`. Each is a process of its own under the same load, in turn, round by round.
 * Needs Linux and a C compiler, and npm for the packages of Node.
 *
 *     --only websockify,bun    these alone, by the start of their names
 *     --rounds 5
 *     --quick                  one short round, to see that it works; its results are a draft
 *
 * @module
 */
import { parseArgs } from "node:util";
import { installed } from "../../tests/tools/executables.ts";
import { root, run } from "../../tests/tools/process.ts";
import { executableOf } from "../../tests/tools/executables.ts";
import { compileLoad, Load } from "../relay/load.ts";
import { Relay } from "../relay/relay.ts";
import { machine, versionOf } from "../report/machine.ts";
import { byContender } from "../report/markdown.ts";
import { type Figure, series, timesAsGood } from "../report/report.ts";
import { type Charts, writeReport } from "../report/write.ts";

// The relay has them too.
const [VIA, TARGET] = [9102, 9103];
const RELAY = `${root}/bench/websocket/relay.ts`;
const PROXY = `${root}/bench/websocket/proxy.ts`;
const MODULES = `${root}/.cache/bench/websocket`;

interface Contender {
  readonly name: string;
  readonly runsOn: string;
  readonly executable: () => Promise<string>;
  readonly args: readonly string[];
}

const deno = () => Promise.resolve(Deno.execPath());
const bun = () => executableOf("bun");
const node = async () => {
  const executable = await executableOf("node26");
  await Deno.mkdir(MODULES, { recursive: true });
  const packages = ["ws@8", "http-proxy-3@2"];
  const { success, output } = await run(["npm", "install", "--prefix", MODULES, ...packages]);
  if (!success) throw new Error(output);
  return executable;
};
const relays: readonly Contender[] = [
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
const proxies: readonly Contender[] = [
  {
    name: "Node, http-proxy-3",
    runsOn: "Node",
    executable: node,
    args: [`${root}/bench/websocket/http_proxy.ts`],
  },
  { name: "Node, ws, join", runsOn: "Node", executable: node, args: [PROXY] },
  { name: "Node, ws, by hand", runsOn: "Node", executable: node, args: [PROXY, "--by-hand"] },
  { name: "Bun, join", runsOn: "Bun", executable: bun, args: [PROXY] },
  { name: "Bun, by hand", runsOn: "Bun", executable: bun, args: [PROXY, "--by-hand"] },
  { name: "Deno, join", runsOn: "Deno", executable: deno, args: ["run", "-A", PROXY] },
  {
    name: "Deno, by hand",
    runsOn: "Deno",
    executable: deno,
    args: ["run", "-A", PROXY, "--by-hand"],
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
/** What a relay is put under, and with what it is compared. */
interface Group {
  readonly title: string;
  /** The contender that the others are compared with. */
  readonly base: string;
  readonly contenders: readonly Contender[];
  /** The arguments of the load generator, after the ports. */
  readonly loads: readonly {
    readonly kind: "bulk" | "echo";
    readonly title: string;
    readonly unit: string;
    readonly args: readonly (string | number)[];
  }[];
}

const groups: readonly Group[] = [
  {
    title: "WebSocket to TCP",
    base: "websockify",
    contenders: relays,
    loads: [
      { kind: "bulk", title: "bulk, frames of 64 KiB", unit: "GB/s", args: [1e9 / part, 65_536] },
      {
        kind: "echo",
        title: "64 B, 64 connections",
        unit: "messages/s",
        args: [60_000 / part, 64, 64],
      },
    ],
  },
  {
    title: "WebSocket to WebSocket",
    base: "Node, http-proxy-3",
    contenders: proxies,
    loads: [
      {
        kind: "bulk",
        title: "bulk, messages of 64 KiB",
        unit: "GB/s",
        args: [1e9 / part, 65_536, "websocket"],
      },
      {
        kind: "echo",
        title: "64 B texts, 64 connections",
        unit: "messages/s",
        args: [60_000 / part, 64, 64, "websocket"],
      },
    ],
  },
];

const report = { name: "websocket", date: new Date().toISOString(), rounds, machine: machine() };
const load = await compileLoad("websocket/load.c");
const versions: Record<string, string> = {};
const missing: Record<string, string> = {};
const figures: Figure[] = [];
const charts: Record<string, Charts[string]> = {};
const ours = (name: string) => name.endsWith("join");
for (const group of groups) {
  const its = await measure(group, await prepare(group));
  console.log(`\nIn brackets: how many times as good as ${group.base}.\n`);
  console.log(byContender(its, (figure, { name }) => {
    return name === group.base ? null : timesAsGood(figure, name, group.base);
  }));
  figures.push(...its);
  const chart = group === groups[0] ? "" : "messages";
  charts[chart] = { title: group.title, figures: its, ours };
}
const draft = options.quick || options.only !== undefined;
await writeReport({ ...report, versions, missing, figures }, charts, draft);

async function prepare({ title, contenders }: Group): Promise<Map<Contender, string[]>> {
  const ready = new Map<Contender, string[]>();
  const wanted = options.only?.toLowerCase().split(",");
  for (const contender of contenders) {
    const { name, runsOn, args } = contender;
    if (wanted && !wanted.some((start) => name.toLowerCase().startsWith(start))) continue;
    try {
      const executable = await contender.executable();
      versions[runsOn] ??= await (name === runsOn ? packaged(name) : versionOf(executable));
      ready.set(contender, [executable, ...args]);
    } catch (error) {
      missing[`${title}: ${name}`] = (error as Error).message;
      console.log(`${name}: ${(error as Error).message}`);
    }
  }
  return ready;
}

/** It does not tell its own version. */
function packaged(name: string): Promise<string> {
  return versionOf("dpkg-query", "-W", name).catch(() => "unknown");
}

/** Each round begins with another relay. */
async function measure(
  { title: group, loads }: Group,
  ready: ReadonlyMap<Contender, string[]>,
): Promise<Figure[]> {
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
    group,
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
  await using _relay = await Relay.start(
    { command: ["env", `MODULES=${MODULES}`, ...command] },
    VIA,
  );
  await using running = new Load(load, args);
  return (await running.answer()).rate!;
}
