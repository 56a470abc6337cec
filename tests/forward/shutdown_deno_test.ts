import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../harness.ts";
import * as t from "./helper.ts";

async function isOpen(conn: Deno.Conn): Promise<boolean> {
  await t.send(conn, "x");
  return await t.receive(conn, 1) === "x";
}

test("a shutdown stops listening at once, and lets connections finish", async () => {
  await using local = await t.Local.start();
  const { forwarder } = local;
  using client = await local.connect();
  assert(await isOpen(client));
  const finished = forwarder.shutdown(60_000);
  await t.untilRefused(local.forwarder.address);
  assert(await isOpen(client));
  assertEquals(await t.exchange(client, "bye"), "bye");
  await finished;
  await forwarder.finished;
  assertEquals(local.events.all[1], { event: "shutdown", open: 1, grace: 60_000 });
  const event = await local.closed();
  assertEquals(event, { ...event, aToB: 5, bToA: 5, reason: "eof" });
});

test("a connection still open after the grace is cut", async () => {
  await using local = await t.Local.start({ grace: 30 });
  using client = await local.connect();
  assert(await isOpen(client));
  await local.forwarder.shutdown();
  const event = await local.closed();
  assertEquals(event, { ...event, aToB: 1, bToA: 1, reason: "shutdown" });
  await client.read(new Uint8Array(1)).catch(() => {});
});

test("a further shutdown can only bring the cut forward", async () => {
  await using local = await t.Local.start({ grace: Infinity });
  using client = await local.connect();
  assert(await isOpen(client));
  let isFinished = false;
  local.forwarder.finished.then(() => isFinished = true);
  void local.forwarder.shutdown();
  assert(await isOpen(client));
  assert(!isFinished);
  void local.forwarder.shutdown(30);
  await local.forwarder.shutdown(120_000);
  const event = await local.closed();
  assertEquals(event, { ...event, reason: "shutdown" });
  assertEquals(local.events.all.filter(({ event }) => event === "shutdown").length, 1);
});

test("a shutdown's grace is checked", async () => {
  await using local = await t.Local.start();
  for (const grace of [-1, NaN, 2 ** 31]) {
    await assertRejects(
      () => local.forwarder.shutdown(grace),
      RangeError,
      "Cannot forward as 'grace' must ",
    );
  }
});

test("a signal shuts down with the option's grace", async () => {
  const controller = new AbortController();
  await using local = await t.Local.start({ signal: controller.signal, grace: 30 });
  using client = await local.connect();
  assert(await isOpen(client));
  controller.abort();
  await t.untilRefused(local.forwarder.address);
  await local.forwarder.finished;
  const event = await local.closed();
  assertEquals(event, { ...event, reason: "shutdown" });
});

test("a signal that aborts in the listen event shuts down", async () => {
  const controller = new AbortController();
  await using local = await t.Local.start({
    signal: controller.signal,
    onEvent: () => controller.abort(),
  });
  await local.forwarder.finished;
});

test("connecting to the target is cut as well", async () => {
  using directory = t.temporaryDirectory();
  const path = `${directory.path}/full`;
  using _server = Deno.listen({ transport: "unix", path });
  const fillers: Deno.Conn[] = [];
  await assertRejects(async () => {
    while (true) fillers.push(await Deno.connect({ transport: "unix", path }));
  }, Deno.errors.WouldBlock);
  await using local = await t.Local.start({ target: `unix:${path}`, once: true });
  using client = await local.connect();
  // Until it was accepted a shutdown would not find it.
  while (local.forwarder.stats().open === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await local.forwarder.shutdown(0);
  const event = await local.closed();
  assertEquals(event, { ...event, reason: "shutdown" });
  await client.read(new Uint8Array(1)).catch(() => {});
  for (const conn of fillers) conn.close();
});

test("many connections are cut at once", async () => {
  await using local = await t.Local.start();
  const clients = await Promise.all(Array.from({ length: 100 }, () => local.connect()));
  await Promise.all(clients.map(isOpen));
  await local.forwarder.shutdown(0);
  assertEquals(local.events.all.filter(({ event }) => event === "close").length, 100);
  for (const client of clients) client.close();
});
