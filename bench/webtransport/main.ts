/**
 * `deno task bench:webtransport`: a page in Chromium that relays between two WebTransport sessions of this
 * process, by `join` and by two `pipeTo`, in turn. Needs Chromium.
 *
 *     --rounds 9
 *     --megabytes 100     each time
 *     --quick             one short round, to see that it works; its results are a draft
 *
 * @module
 */
import { parseArgs } from "node:util";
import { root, run } from "../../tests/tools/process.ts";
import { executableOf } from "../../tests/tools/executables.ts";
import { accepted, Server } from "../../tests/tools/webtransport_server.ts";
import { servePage } from "../page.ts";
import { machine, versionOf } from "../report/machine.ts";
import { byContender } from "../report/markdown.ts";
import { type Figure, series, timesAsGood } from "../report/report.ts";
import { writeReport } from "../report/write.ts";
import type { Contender, Order } from "./page.ts";

const NATIVE: Contender = "two pipeTo";
const OURS: Contender = "join";
const CHUNK_BYTES = 64 * 1024;
const STUCK_MS = 60_000;

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string" },
    megabytes: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 9));
const bytes = Number(options.megabytes ?? (options.quick ? 10 : 100)) * 1e6;

const report = { name: "webtransport", date: new Date().toISOString(), rounds, machine: machine() };
const executable = await executableOf("chromium");
const versions = { Chromium: await versionOf(executable), Deno: Deno.version.deno };
const values: Record<Contender, number[]> = { [OURS]: [], [NATIVE]: [] };
const turns = Array.from(
  { length: rounds + 1 },
  (_, round): Contender[] => round % 2 ? [OURS, NATIVE] : [NATIVE, OURS],
);

// The first round is to warm up.
const queue = turns.flatMap((turn, round) => turn.map((contender) => ({ contender, round })));
let arrived: Promise<unknown> | undefined;
await servePage(executable, await build(), async (path) => {
  if (path === "/arrived") return await arrived;
  const next = queue.shift();
  if (!next) return null;
  const [from, to] = await Promise.all([Server.start(), Server.start()]);
  arrived = transfer(from, to).then((seconds) => {
    if (next.round > 0) values[next.contender].push(bytes / 1e9 / seconds);
  }).finally(() => {
    for (const server of [from, to]) server.close();
  });
  arrived.catch(() => {});
  return { contender: next.contender, from: from.address, to: to.address } satisfies Order;
});

const figure: Figure = {
  group: "WebTransport",
  title: "bulk, through a page",
  unit: "GB/s",
  better: "more",
  series: [series(OURS, values[OURS]), series(NATIVE, values[NATIVE])],
};
console.log(byContender([figure], (_, { name }) => {
  return name === NATIVE ? null : timesAsGood(figure, name, NATIVE);
}));
await writeReport({ ...report, versions, missing: {}, figures: [figure] }, {
  "": {
    title: "WebTransport to WebTransport, in a page",
    figures: [figure],
    ours: (name) => name === OURS,
  },
}, options.quick);

/** Sends to one session, and reads from the other until all has come; resolves to the seconds it took. */
async function transfer(from: Server, to: Server): Promise<number> {
  const [source, target] = await Promise.all(
    [from, to].map(async (server) => accepted(await server.accept())),
  );
  const timer = setTimeout(() => source!.readable.cancel(), STUCK_MS);
  const reader = target!.readable.getReader();
  await reader.read();
  const started = performance.now();
  const sending = send(source!.writable.getWriter());
  for (let received = 0; received < bytes;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`${received} of ${bytes} bytes arrived`);
    received += value.length;
  }
  const seconds = (performance.now() - started) / 1000;
  clearTimeout(timer);
  await sending;
  return seconds;
}

async function send(writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>): Promise<void> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let left = bytes; left > 0; left -= CHUNK_BYTES) {
    await writer.write(left < CHUNK_BYTES ? chunk.subarray(0, left) : chunk);
  }
}

async function build(): Promise<string> {
  const bundle = `${root}/.cache/bench/webtransport.js`;
  await Deno.mkdir(`${root}/.cache/bench`, { recursive: true });
  const { success, output } = await run([
    ...[Deno.execPath(), "bundle", "--quiet", "--platform=browser", `--output=${bundle}`],
    `${root}/bench/webtransport/page.ts`,
  ]);
  if (!success) throw new Error(`deno bundle failed\n${output}`);
  return bundle;
}
