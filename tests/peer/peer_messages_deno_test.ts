/**
 * The peer's WebSockets and WebTransport sessions: with each other, and with Deno's own.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../harness.ts";
import { hashOf } from "../support/parcels.ts";
import { dial, listen, type RemoteFar } from "./client.ts";
import type { FarOptions } from "./far_end.ts";
import type { Protocol } from "./protocol.ts";

const MIB = 1024 * 1024;
const protocols = ["websocket", "webtransport"] as const;

/** Two far ends that are connected with each other. */
async function pair(
  protocol: Protocol,
  options?: FarOptions,
): Promise<[near: RemoteFar, far: RemoteFar]> {
  const near = await listen(protocol);
  return [near, await dial(protocol, near.address, options)];
}

for (const protocol of protocols) {
  test(`peer ${protocol}: moves bytes both ways, and ends`, async () => {
    const [near, far] = await pair(protocol);
    const sent = [near.send({ bytes: MIB, seed: 1 }), far.send({ bytes: MIB + 1, seed: 2 })];
    const [atNear, atFar] = await Promise.all([
      near.until({ received: MIB + 1 }),
      far.until({ received: MIB }),
      ...sent,
    ]);
    assertEquals(atNear.hash, hashOf({ bytes: MIB + 1, seed: 2 }));
    assertEquals(atFar.hash, hashOf({ bytes: MIB, seed: 1 }));
    await Promise.all([near.finish(), far.finish()]);
    for (const end of [near, far]) {
      assertEquals((await end.until({ ended: true })).ended.how, "eof");
      await end.dispose();
    }
  });

  test(`peer ${protocol}: paused, it holds the sender up`, async () => {
    const [near, far] = await pair(protocol, { paused: true });
    const sending = near.send({ bytes: 32 * MIB, seed: 3 });
    const { sent } = await near.until({ sent: 1, quiet: 300 });
    assert(sent < 16 * MIB, `${sent} bytes taken with nobody reading`);
    assertEquals((await far.stats()).received, 0);
    await far.resume();
    await sending;
    assertEquals(
      (await far.until({ received: 32 * MIB })).hash,
      hashOf({ bytes: 32 * MIB, seed: 3 }),
    );
    await Promise.all([near.dispose(), far.dispose()]);
  });

  test(`peer ${protocol}: fails with a code`, async () => {
    const [near, far] = await pair(protocol);
    const code = protocol === "websocket" ? 4001 : 77;
    await far.send({ bytes: 1 });
    await near.until({ received: 1 });
    await far.reset(code);
    const { how, code: came } = (await near.until({ ended: true })).ended;
    assertEquals([how, came], ["reset", code]);
    await Promise.all([near.dispose(), far.dispose()]);
  });

  test(`peer ${protocol}: is closed with a code and a reason`, async () => {
    const [near, far] = await pair(protocol);
    await far.send({ bytes: 1 });
    await near.until({ received: 1 });
    await far.close(4002, "that is all");
    const how = protocol === "websocket" ? "reset" : "closed";
    const { ended } = await near.until({ ended: true });
    assertEquals(ended, { how, code: 4002, reason: "that is all" });
    await Promise.all([near.dispose(), far.dispose()]);
  });
}

test("peer webtransport: each direction ends by itself", async () => {
  const [near, far] = await pair("webtransport");
  await far.finish();
  assertEquals((await near.until({ ended: true })).ended.how, "eof");
  await near.send({ bytes: 1000, seed: 4 });
  await near.finish();
  const { hash, ended } = await far.until({ ended: true });
  assertEquals([hash, ended.how], [hashOf({ bytes: 1000, seed: 4 }), "eof"]);
  await Promise.all([near.dispose(), far.dispose()]);
});

test("peer webtransport: an end of file that comes late, when all else is over, comes", async () => {
  for (let round = 0; round < 10; round++) {
    const [near, far] = await pair("webtransport");
    await Promise.all([near.send({ bytes: 1 }), far.send({ bytes: 1 })]);
    await Promise.all([near.until({ received: 1 }), far.until({ received: 1 })]);
    await Promise.all([near.finish(), far.finish()]);
    for (const end of [near, far]) {
      assertEquals((await end.until({ ended: true })).ended.how, "eof");
    }
    await Promise.all([near.dispose(), far.dispose()]);
  }
});

test("peer websocket: a message's kind and size", async () => {
  const [near, far] = await pair("websocket");
  await far.send({ bytes: 1000, chunk: 300, text: true });
  const { chunks, largest } = await near.until({ received: 1000 });
  assertEquals([chunks, largest], [4, 300]);
  await Promise.all([near.dispose(), far.dispose()]);

  const limited = await listen("websocket", { maxPayload: 1000 });
  const sender = await dial("websocket", limited.address);
  void sender.send({ bytes: 1001 });
  assertEquals((await sender.until({ ended: true })).ended.code, 1009);
  await Promise.all([limited.dispose(), sender.dispose()]);
});

test("peer websocket: cut, it is seen as such", async () => {
  const [near, far] = await pair("websocket");
  await far.send({ bytes: 1 });
  await near.until({ received: 1 });
  await far.reset();
  const { how, code } = (await near.until({ ended: true })).ended;
  assertEquals([how, code], ["reset", 1006]);
  await assertRejects(() => near.send({ bytes: 1 }));
  await Promise.all([near.dispose(), far.dispose()]);
});
