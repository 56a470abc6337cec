import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { forward } from "../../src/forward/main.ts";
import { test } from "../harness.ts";
import * as t from "./helper.ts";

/** Enough connections that both of two workers get some: they would not only once in 2^63 runs. */
const MANY = 64;

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function connectMany(local: t.Local): Promise<Deno.Conn[]> {
  const conns = await Promise.all(Array.from({ length: MANY }, () => local.connect()));
  await Promise.all(conns.map(async (conn, index) => {
    await t.send(conn, `${index}`);
    assertEquals(await t.receive(conn, `${index}`.length), `${index}`);
  }));
  return conns;
}

test("workers share the connections of one port", async () => {
  await using local = await t.Local.start({ workers: 2 });
  const conns = await connectMany(local);
  for (const conn of conns) assertEquals(await t.exchange(conn, "bye"), "bye");
  await local.forwarder.shutdown();
  const closed = local.events.all.filter((event) => event.event === "close");
  const ids = closed.map(({ id }) => id);
  assertEquals([closed.length, new Set(ids).size], [MANY, MANY]);
  // The first has the odd numbers, the second the even ones.
  assertEquals(new Set(ids.map((id) => id % 2)), new Set([0, 1]));
  assert(closed.every(({ reason, aToB, bToA }) => reason === "eof" && aToB === bToA && aToB > 3));
  const bytes = closed.reduce((sum, { aToB }) => sum + aToB, 0);
  const stats = { open: 0, accepted: MANY, aToB: bytes, bToA: bytes };
  assertEquals(local.forwarder.stats(), stats);
  for (const conn of conns) conn.close();
});

test("workers listen as one, and shut down as one", async () => {
  await using local = await t.Local.start({ workers: 2, grace: 30 });
  const { forwarder } = local;
  const conns = await connectMany(local);
  while (forwarder.stats().open < MANY) await delay(10);
  await forwarder.shutdown();
  await t.untilRefused(forwarder.address);
  const others = local.events.all.filter(({ event }) => event !== "close");
  const { address, target } = forwarder;
  assertEquals(others, [
    { event: "listen", address, target },
    { event: "shutdown", open: MANY, grace: 30 },
  ]);
  assertMatch(address, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  const cut = local.events.all.filter((event) => event.event === "close");
  assert(cut.every(({ reason }) => reason === "shutdown"));
  assertEquals(cut.length, MANY);
  for (const conn of conns) conn.close();
});

test("a signal shuts all workers down, and an aborted signal starts none", async () => {
  const controller = new AbortController();
  await using local = await t.Local.start({ workers: 2, signal: controller.signal });
  controller.abort(new Error("enough"));
  await local.forwarder.finished;
  await t.untilRefused(local.forwarder.address);
  await assertRejects(
    () => t.Local.start({ workers: 2, signal: controller.signal }),
    Error,
    "enough",
  );
});

test("the workers share the maximum of connections", async () => {
  await using local = await t.Local.start({ workers: 2, maxConnections: 3 });
  const conns = await Promise.all(Array.from({ length: MANY }, () => local.connect()));
  for (const conn of conns) await t.send(conn, "x");
  let answered = 0;
  for (const conn of conns) t.receive(conn, 1).then(() => answered++, () => {});
  while (answered < 3 || local.forwarder.stats().open < 3) await delay(10);
  await delay(300);
  assertEquals([answered, local.forwarder.stats().open], [3, 3]);
  for (const conn of conns) conn.close();
});

test("workers that cannot listen say why, and leave nothing behind", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listen = `tcp://127.0.0.1:${taken.addr.port}`;
  await assertRejects(
    () => forward({ listen, target: "echo:", workers: 2 }),
    Error,
    `Cannot listen on ${listen}: `,
  );
});

test("processes share a port with reusePort", async () => {
  await using first = await t.Local.start({ reusePort: true });
  const listen = first.forwarder.address;
  await using second = await t.Local.start({ listen, reusePort: true });
  const conns = await Promise.all(Array.from({ length: MANY }, () => first.connect()));
  for (const conn of conns) assertEquals(await t.exchange(conn, "x"), "x");
  const accepted = [first, second].map(({ forwarder }) => forwarder.stats().accepted);
  assert(accepted.every((count) => count > 0), `${accepted}`);
  assertEquals(accepted[0]! + accepted[1]!, MANY);
  for (const conn of conns) conn.close();
});

test("workers without --unstable-net, or without permission to read their code, say so", async () => {
  const bare = (...flags: string[]) => {
    const main = t.CLI.at(-1)!;
    return [Deno.execPath(), "run", "--no-config", "--quiet", "--allow-net", ...flags, main];
  };
  const args = ["--workers", "2", "tcp://127.0.0.1:0", "echo:"];
  for (
    const [flags, message] of [
      [["--allow-read"], "a shared port needs Deno's --unstable-net"],
      [["--unstable-net"], "Cannot start a worker: "],
    ] as const
  ) {
    await using cli = new t.Cli(args, bare(...flags));
    assertEquals(await cli.code(), 1);
    // Deno itself tells of what fails in a worker, too.
    assertStringIncludes(cli.stderr.all.at(-1)!, message);
  }
});

test("--workers serves, and a signal ends all workers", async () => {
  await using cli = new t.Cli(["--workers", "2", "tcp://127.0.0.1:0", "echo:"]);
  const address = await cli.address();
  for (let i = 0; i < 8; i++) {
    using conn = await t.connect(address);
    assertEquals(await t.exchange(conn, "hello"), "hello");
  }
  cli.kill("SIGTERM");
  assertEquals(await cli.code(), 0);
  assertEquals(cli.stderr.all.filter((line) => line.startsWith("#")).length, 8);
});

test("several workers take options as one worker does", async () => {
  const inherited = Object.create({ listen: "tcp://127.0.0.1:0", target: "echo:", workers: 2 });
  await using _first = await forward(inherited);
  const more = { listen: "tcp://127.0.0.1:0", target: "echo:", workers: 2, log: () => {} };
  await using _second = await forward(more);
});

test("a signal that aborts while workers start shuts them down", async () => {
  const controller = new AbortController();
  const starting = t.Local.start({ workers: 2, signal: controller.signal });
  controller.abort();
  await (await starting).forwarder.finished;
});
