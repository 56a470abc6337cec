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

/** The kinds there are. */
export const modes = ["bulk", "echo", "churn", "idle"] as const;

/** One of them. */
export type Mode = typeof modes[number];

/** A value that is measured; the first of a discipline's is in the chart. */
export type Measure = Pick<Figure, "title" | "unit" | "better">;

/** A load, and what is measured under it. */
export interface Discipline {
  readonly mode: Mode;
  readonly measures: readonly Measure[];
  /** Resolves to a value a measure; rejects if anything was lost or wrong. */
  run(relay: Relay, load: string, ports: Ports): Promise<number[]>;
}

/** How much of each. */
export interface Sizes {
  readonly bulkBytes: number;
  readonly echoMessages: number;
  readonly churnConnections: number;
  readonly idleConnections: number;
  /** Of silence. */
  readonly idleMs: number;
}

/** All of them. */
export function disciplines(sizes: Sizes): Discipline[] {
  return [
    bulk(sizes.bulkBytes, 1),
    bulk(sizes.bulkBytes, 32),
    bulk(sizes.bulkBytes, 1, "back"),
    echo(sizes.echoMessages, 64),
    echo(sizes.echoMessages / 6, 1),
    churn(sizes.churnConnections, 16),
    idle(sizes.idleConnections, sizes.idleMs),
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

function idle(connections: number, ms: number): Discipline {
  return {
    mode: "idle",
    measures: [
      { title: count(connections), unit: "KiB a connection", better: "less" },
      { title: "before", unit: "MiB", better: "less" },
      { title: "with them", unit: "MiB", better: "less" },
    ],
    async run(relay, program, { via, target }) {
      const before = memoryKib(relay.pid);
      await using load = new Load(program, ["idle", via, target, connections]);
      await load.answer();
      await delay(ms);
      const after = memoryKib(relay.pid);
      await load.goOn();
      // It comes once every connection has answered.
      await load.answer();
      return [(after - before) / connections, before / 1024, after / 1024];
    },
  };
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
