/**
 * What the relays are put through.
 *
 * @module
 */
import type { Figure } from "../report/report.ts";
import { median } from "../report/statistics.ts";
import { Load, type Ports } from "./load.ts";
import { cpuSeconds, memoryKib } from "./processes.ts";
import { delay, type Relay } from "./relay.ts";

/** Those under which a connection is weighed. */
export const weights = ["idle", "spent", "stalled", "slow", "half-closed"] as const;

/** The kinds there are. */
export const modes = ["bulk", "echo", "churn", "mixed", "crowd", ...weights] as const;

/** One of them. */
export type Mode = typeof modes[number];

/** A value that is measured. */
export type Measure = Pick<Figure, "title" | "unit" | "better">;

/** A load, and what is measured under it. */
export interface Discipline {
  readonly mode: Mode;
  /** The first is what a release is compared by. */
  readonly measures: readonly Measure[];
  /** How many of them, from the first, are in the chart: 1. */
  readonly charted?: number;
  /** Resolves to a value a measure; rejects if anything was lost or wrong. */
  run(relay: Relay, load: string, ports: Ports): Promise<number[]>;
}

/** How much of each. */
export interface Sizes {
  readonly bulkBytes: number;
  readonly echoMessages: number;
  readonly churnConnections: number;
  readonly mixedMs: number;
  readonly crowdConnections: number;
  readonly idleConnections: number;
  readonly spentConnections: number;
  readonly stalledConnections: number;
  /** Of the download beside those, and of the one without them. */
  readonly stalledBytes: number;
  readonly slowConnections: number;
  readonly halfClosedConnections: number;
  /** Of silence, or of slow reading, before the memory is looked at. */
  readonly idleMs: number;
}

/** Memory goes up and down while something moves. */
const MEMORY_SAMPLES = 5;
const SAMPLE_MS = 200;

/** All of them. */
export function disciplines(sizes: Sizes): Discipline[] {
  return [
    bulk(sizes.bulkBytes, 1),
    bulk(sizes.bulkBytes, 32),
    bulk(sizes.bulkBytes, 1, "back"),
    echo(sizes.echoMessages, 64),
    echo(sizes.echoMessages / 6, 1),
    churn(sizes.churnConnections, 16),
    ...[1, 4, 16].map((senders) => mixed(sizes.mixedMs, senders)),
    crowd(sizes.crowdConnections, 16),
    held("idle", sizes.idleConnections, sizes.idleMs),
    held("spent", sizes.spentConnections, sizes.idleMs),
    stalled(sizes.stalledConnections, sizes.stalledBytes, sizes.idleMs),
    slow(sizes.slowConnections, sizes.idleMs),
    held("half-closed", sizes.halfClosedConnections, sizes.idleMs),
  ];
}

function bulk(bytes: number, connections: number, way: "bulk" | "back" = "bulk"): Discipline {
  const title = way === "back" ? `${count(connections)}, back` : count(connections);
  return {
    mode: "bulk",
    measures: [
      { title, unit: "GB/s", better: "more" },
      { title: `${title}, CPU`, unit: "s/GB", better: "less" },
    ],
    async run(relay, load, ports) {
      const { seconds, cpu } = await under(relay, load, [
        way,
        ports.via,
        ports.target,
        bytes,
        connections,
      ]);
      return [bytes / 1e9 / seconds!, cpu! / bytes * 1e9];
    },
  };
}

function echo(messages: number, connections: number): Discipline {
  const title = count(connections);
  // On which core the scheduler has put whom makes a single connection 3 times as fast, or not.
  const runs = connections === 1 ? 7 : 1;
  return {
    mode: "echo",
    measures: [
      { title, unit: "messages/s", better: "more" },
      { title: `${title}, p50`, unit: "µs", better: "less" },
      { title: `${title}, p99`, unit: "µs", better: "less" },
      { title: `${title}, CPU`, unit: "µs a message", better: "less" },
    ],
    async run(relay, load, ports) {
      const each = Math.floor(messages / runs / connections) * connections;
      const args = ["echo", ports.via, ports.target, each, connections];
      const all: Record<string, number>[] = [];
      while (all.length < runs) all.push(await under(relay, load, args));
      const middle = (name: string) => median(all.map((one) => one[name]!))!;
      return [each / middle("seconds"), middle("p50"), middle("p99"), middle("cpu") * 1e6 / each];
    },
  };
}

function churn(connections: number, atOnce: number): Discipline {
  const title = `${atOnce} at once`;
  return {
    mode: "churn",
    measures: [
      { title, unit: "connections/s", better: "more" },
      { title: `${title}, CPU`, unit: "µs a connection", better: "less" },
    ],
    async run(relay, load, ports) {
      const args = ["churn", ports.via, ports.target, connections, atOnce];
      const { seconds, cpu } = await under(relay, load, args);
      return [connections / seconds!, cpu! * 1e6 / connections];
    },
  };
}

function mixed(ms: number, senders: number): Discipline {
  const title = `${senders} and ${senders}`;
  return {
    mode: "mixed",
    measures: [
      { title: `${title}, bulk`, unit: "GB/s", better: "more" },
      { title: `${title}, p50`, unit: "µs", better: "less" },
      { title: `${title}, p99`, unit: "µs", better: "less" },
      { title: `${title}, CPU`, unit: "s/GB", better: "less" },
    ],
    charted: 3,
    run: (relay, load, { via, target }) => beside(relay, load, ["mixed", via, target, ms, senders]),
  };
}

function crowd(connections: number, senders: number): Discipline {
  const title = `${connections} beside ${senders}`;
  return {
    mode: "crowd",
    measures: [
      { title: `${title}, bulk`, unit: "GB/s", better: "more" },
      { title: `${title}, p50`, unit: "µs", better: "less" },
      { title: `${title}, p99`, unit: "µs", better: "less" },
      { title: `${title}, CPU`, unit: "s/GB", better: "less" },
    ],
    charted: 3,
    run: (relay, load, { via, target }) =>
      beside(relay, load, ["crowd", via, target, connections, senders]),
  };
}

/** Messages beside bulk: what they took, and what bulk moved meanwhile. */
async function beside(relay: Relay, load: string, args: (string | number)[]): Promise<number[]> {
  const { p50, p99, bytes, seconds, all, cpu } = await under(relay, load, args);
  return [bytes! / 1e9 / seconds!, p50!, p99!, cpu! / all! * 1e9];
}

function held(
  mode: "idle" | "spent" | "half-closed",
  connections: number,
  ms: number,
): Discipline {
  return {
    mode,
    measures: ofWeight(connections),
    run: async (relay, load, ports) =>
      (await weigh(relay, load, ports, mode, connections, ms)).weight,
  };
}

function stalled(connections: number, bytes: number, ms: number): Discipline {
  const [weight, ...inAll] = ofWeight(connections);
  return {
    mode: "stalled",
    measures: [
      weight!,
      { title: "a download beside them", unit: "GB/s", better: "more" },
      { title: "without them", unit: "GB/s", better: "more" },
      { title: "beside / without", unit: "x", better: "more" },
      ...inAll,
    ],
    charted: 4,
    async run(relay, load, ports) {
      const held = await weigh(relay, load, ports, "stalled", connections, ms, bytes);
      const [weight, ...inAll] = held.weight;
      const [beside, alone] = [bytes / 1e9 / held.answer.beside!, bytes / 1e9 / held.answer.alone!];
      return [weight!, beside, alone, beside / alone, ...inAll];
    },
  };
}

function slow(connections: number, ms: number): Discipline {
  return {
    mode: "slow",
    measures: [
      ...ofWeight(connections),
      { title: "the slowest, of 100", unit: "KB/s", better: "more" },
    ],
    async run(relay, load, ports) {
      const held = await weigh(relay, load, ports, "slow", connections, 0, ms);
      return [...held.weight, held.answer.slowest! / 1e3];
    },
  };
}

function ofWeight(connections: number): Measure[] {
  return [
    { title: count(connections), unit: "KiB a connection", better: "less" },
    { title: "before", unit: "MiB", better: "less" },
    { title: "with them", unit: "MiB", better: "less" },
  ];
}

/** What connections weigh that are held, after so many milliseconds; and what the load said in the end. */
async function weigh(
  relay: Relay,
  program: string,
  { via, target }: Ports,
  mode: Mode,
  connections: number,
  ms: number,
  ...more: number[]
): Promise<{ weight: number[]; answer: Record<string, number> }> {
  const before = memoryKib(relay.pid);
  await using load = new Load(program, [mode, via, target, connections, ...more]);
  await load.answer();
  await delay(ms);
  const samples: number[] = [];
  while (samples.length < MEMORY_SAMPLES) {
    samples.push(memoryKib(relay.pid));
    await delay(SAMPLE_MS);
  }
  const after = median(samples)!;
  await load.goOn();
  // It comes once every connection has given all that it owes.
  const answer = await load.answer();
  return { weight: [(after - before) / connections, before / 1024, after / 1024], answer };
}

async function under(
  relay: Relay,
  program: string,
  args: (string | number)[],
): Promise<Record<string, number>> {
  const before = cpuSeconds(relay.pid);
  await using load = new Load(program, args);
  const answer = await load.answer();
  return { ...answer, cpu: cpuSeconds(relay.pid) - before };
}

function count(connections: number): string {
  return connections === 1 ? "1 connection" : `${connections} connections`;
}
