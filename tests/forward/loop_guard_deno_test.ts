import { assert, assertEquals } from "@std/assert";
import type { CloseEvent } from "../../src/forward/main.ts";
import { test } from "../harness.ts";
import * as t from "./helper.ts";

/** A port that was free a moment ago. */
function vacantPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Each client is closed soon, the log says why, and no connection is made for it any more. */
async function assertRefused(
  local: t.Local,
  to: string,
  clients: number,
  workers = 1,
): Promise<void> {
  const error = `Cannot connect to ${to}: that is this forwarder itself`;
  for (let i = 0; i < clients; i++) {
    const client = await local.connect();
    const end = "port" in client.localAddr ? `:${client.localAddr.port}` : "";
    try {
      assertEquals(await client.read(new Uint8Array(1)).catch(() => null), null);
      await local.events.find((event) => "error" in event && event.error === error);
    } finally {
      client.close();
    }
    const event = await local.events.find((event): event is CloseEvent =>
      event.event === "close" && event.from.endsWith(end)
    );
    if (workers === 1) assertEquals(event, { ...event, to, bToA: 0, reason: "error", error });
  }
  await local.forwarder.shutdown();
  const { accepted } = local.forwarder.stats();
  // Another worker may accept it before this one hears that it is dialed, and dial once more.
  if (workers === 1) assertEquals(accepted, clients);
  else assert(accepted < clients * 10, `${accepted}`);
}

for (
  const [host, name] of [["127.0.0.1", "localhost"], ["0.0.0.0", "127.0.0.1"], [
    "[::]",
    "127.0.0.1",
  ]]
) {
  for (const workers of [1, 2]) {
    test(`a forwarder does not forward to itself: ${host} to ${name}, workers: ${workers}`, async () => {
      const port = vacantPort();
      const target = `tcp://${name}:${port}`;
      await using local = await t.Local.start({
        listen: `tcp://${host}:${port}`,
        target,
        workers,
        grace: 0,
      });
      await assertRefused(local, target, 10, workers);
    });
  }
}

test("a forwarder does not forward to itself: a unix socket by another path", async () => {
  using directory = t.temporaryDirectory();
  const listen = `unix:${directory.path}/socket`;
  const target = `unix:${directory.path}/link`;
  Deno.symlinkSync(`${directory.path}/socket`, `${directory.path}/link`);
  await using local = await t.Local.start({ listen, target });
  await assertRefused(local, target, 1);
});

test("the same port elsewhere is no loop, and a client may come from any port", async () => {
  for (const workers of [1, 2]) {
    await using server = await t.Local.start({ listen: `tcp://127.0.0.2:${freeEverywhere()}` });
    const { port } = new URL(server.forwarder.address);
    await using local = await t.Local.start({
      listen: `tcp://127.0.0.1:${port}`,
      target: server.forwarder.address,
      workers,
    });
    for (let i = 0; i < 50; i++) {
      using client = await local.connect();
      assertEquals(await t.exchange(client, "there"), "there");
    }
    const reasons = local.events.all.map((event) => event.event === "close" ? event.reason : "eof");
    assertEquals(new Set(reasons), new Set(["eof"]));
  }
});

/** A port that no address of this machine uses. */
function freeEverywhere(): number {
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  return listener.addr.port;
}
