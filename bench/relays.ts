/**
 * `deno task bench:relays`: relay.ts with `join`, the same with two native `pipeTo`, and the forwarder,
 * each as a process of its own under the same load, in turn, round by round.
 */
import { root } from "../tests/run/process.ts";

const ROUNDS = 5;
const BULK_BYTES = 1_000_000_000;
const ECHO_CONNECTIONS = 64;
const ECHO_MESSAGES = 400;
const MESSAGE = 64;
const [VIA, TARGET] = [9000, 9001];

const run = ["run", "-A", "bench/relay.ts"];
const relays: Record<string, string[]> = {
  join: run,
  forward: [
    "task",
    "forward",
    "--log",
    "none",
    `tcp://127.0.0.1:${VIA}`,
    `tcp://127.0.0.1:${TARGET}`,
  ],
  "two pipeTo": [...run, "--native"],
};
const loads = { "bulk, GB/s": bulk, "echo, messages/s": echo };

const scores: Record<string, Record<string, number[]>> = {};
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, args] of Object.entries(relays)) {
    for (const [load, measure] of Object.entries(loads)) {
      ((scores[name] ??= {})[load] ??= []).push(await under(args, measure));
    }
  }
}
console.log(`| relay | ${Object.keys(loads).join(" | ")} |\n|---|--:|--:|`);
for (const [name, byLoad] of Object.entries(scores)) {
  const cells = Object.values(byLoad).map((values) => median(values).toPrecision(3));
  console.log(`| ${name} | ${cells.map(Number).join(" | ")} |`);
}

/** Starts a relay, waits until it listens, measures, and ends it. */
async function under(args: string[], measure: () => Promise<number>): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await listening();
    return await measure();
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}

async function listening(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ port: VIA })).close();
      // By then the relay has found nobody at the target, rather than the load that comes next.
      return await delay(300);
    } catch {
      await delay(100);
    }
  }
  throw new Error(`No relay listens on port ${VIA} after 10 s`);
}

/** One connection, one way. */
async function bulk(): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: TARGET });
  const received = listener.accept().then(async (conn) => {
    const buffer = new Uint8Array(1 << 20);
    let bytes = 0;
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) bytes += n;
    conn.close();
    return bytes;
  });
  using conn = await Deno.connect({ port: VIA });
  const started = performance.now();
  const block = new Uint8Array(1 << 18);
  for (let sent = 0; sent < BULK_BYTES;) {
    sent += await conn.write(block.subarray(0, Math.min(block.length, BULK_BYTES - sent)));
  }
  await conn.closeWrite();
  const bytes = await received;
  if (bytes !== BULK_BYTES) throw new Error(`${bytes} of ${BULK_BYTES} bytes arrived`);
  return bytes / 1e6 / (performance.now() - started);
}

/** Many connections, each sending a message when the last one has come back. */
async function echo(): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: TARGET });
  const served = serveEcho(listener);
  const started = performance.now();
  await Promise.all(Array.from({ length: ECHO_CONNECTIONS }, async () => {
    using conn = await Deno.connect({ port: VIA });
    const message = new Uint8Array(MESSAGE);
    for (let sent = 0; sent < ECHO_MESSAGES; sent++) {
      await conn.write(message);
      for (let left = MESSAGE; left > 0;) {
        const n = await conn.read(message);
        if (n === null) throw new Error("The relay ended before it had returned every message");
        left -= n;
      }
    }
  }));
  const seconds = (performance.now() - started) / 1000;
  await served;
  return ECHO_CONNECTIONS * ECHO_MESSAGES / seconds;
}

async function serveEcho(listener: Deno.TcpListener): Promise<void> {
  const conns: Promise<void>[] = [];
  while (conns.length < ECHO_CONNECTIONS) conns.push(sendBack(await listener.accept()));
  await Promise.all(conns);
}

async function sendBack(accepted: Deno.Conn): Promise<void> {
  using conn = accepted;
  const buffer = new Uint8Array(MESSAGE);
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
    await conn.write(buffer.subarray(0, n));
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}
