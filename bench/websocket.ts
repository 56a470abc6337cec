/**
 * `deno task bench:websocket`: a relay from WebSockets to TCP by `join`, on Bun and on Deno, the same by
 * hand, and websockify (Debian's, with python3-numpy), each as a process of its own under the same load, in
 * turn, round by round. Needs a C compiler, for the load to cost next to nothing.
 *
 *     --rounds 5
 *     --only websockify,bun    these alone
 */
import { parseArgs } from "node:util";
import { root } from "../tests/run/process.ts";

const [VIA, TARGET] = [9002, 9003];
const RELAY = `${root}/bench/websocket_relay.ts`;

const relays: Record<string, string[]> = {
  "websockify": ["websockify", `127.0.0.1:${VIA}`, `127.0.0.1:${TARGET}`],
  "bun": ["bun", RELAY],
  "bun, by hand": ["bun", RELAY, "--by-hand"],
  "deno": [Deno.execPath(), "run", "-A", RELAY],
  "deno, by hand": [Deno.execPath(), "run", "-A", RELAY, "--by-hand"],
};
/** The arguments of the load generator, after the ports. */
const loads: Record<string, { unit: string; name: string; args: number[] }> = {
  bulk: { unit: "GB/s", name: "bulk, frames of 64 KiB", args: [1_000_000_000, 65_536] },
  echo: { unit: "messages/s", name: "echo of 64 B, 64 connections", args: [60_000, 64, 64] },
};

const { values: options } = parseArgs({
  args: Deno.args,
  options: { rounds: { type: "string", default: "5" }, only: { type: "string" } },
});
const names = options.only?.split(",") ?? Object.keys(relays);

const load = await Deno.makeTempFile();
await run("cc", ["-O2", "-o", load, `${root}/bench/websocket_load.c`]);
const scores: Record<string, Record<string, number[]>> = {};
for (let round = 0; round < Number(options.rounds); round++) {
  for (const name of names) {
    for (const kind of Object.keys(loads)) {
      ((scores[kind] ??= {})[name] ??= []).push(await under(relays[name], kind));
    }
  }
}
await Deno.remove(load);

for (const [kind, { name, unit }] of Object.entries(loads)) {
  console.log(`\n| ${name} | ${unit} | x ${names[0]} | lowest, highest |\n|---|--:|--:|--:|`);
  const first = median(scores[kind][names[0]]);
  for (const relay of names) {
    const values = scores[kind][relay];
    const range = [Math.min(...values), Math.max(...values)].map(shown).join(", ");
    const ratio = median(values) / first;
    console.log(`| ${relay} | ${shown(median(values))} | ${ratio.toFixed(2)} | ${range} |`);
  }
}

/** Starts a relay, waits until it listens, measures, and ends it. */
async function under([command, ...args]: string[], kind: string): Promise<number> {
  const child = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await listening();
    return Number(await run(load, [kind, VIA, TARGET, ...loads[kind].args].map(String)));
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

async function listening(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ port: VIA })).close();
      return await delay(300);
    } catch {
      await delay(100);
    }
  }
  throw new Error(`No relay listens on port ${VIA} after 10 s`);
}

async function run(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
