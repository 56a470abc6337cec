/** The TCP relay Worker as it would be deployed, bundled, on workerd: TCP ⇄ workerd ⇄ TCP. */
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { hashOf } from "../support/parcels.ts";
import { dial, listen, type RemoteFar } from "../peer/client.ts";
import type { FarOptions } from "../peer/far_end.ts";
import { serveWorker } from "./workerd.ts";

const MIB = 1024 * 1024;

async function withRelay(
  options: FarOptions,
  body: (client: RemoteFar, server: RemoteFar) => Promise<void>,
) {
  const server = await listen("tcp", options);
  const { hostname, port } = server.address;
  await serveWorker("tcp_relay_worker", "tcp", `${hostname}:${port}`, async (address) => {
    const client = await dialTcp(address, options);
    await body(client, server);
    await client.dispose();
  });
  await server.dispose();
}

async function dialTcp(address: string, options?: FarOptions): Promise<RemoteFar> {
  const [hostname, port] = address.split(":");
  return await dial("tcp", { hostname, port: Number(port) }, options);
}

test("the TCP relay Worker passes all both ways, to readers that stall", async () => {
  const [there, back] = [{ bytes: 48 * MIB, seed: 1 }, { bytes: 64 * MIB, seed: 2 }];
  await withRelay({ paused: true }, async (client, server) => {
    const sent = [client.send(there), server.send(back)];
    await client.until({ sent: 1, quiet: 500 });
    await Promise.all([client.resume(), server.resume(), ...sent]);
    const [atServer, atClient] = await Promise.all([
      server.until({ received: there.bytes }),
      client.until({ received: back.bytes }),
    ]);
    assertEquals([atServer.hash, atClient.hash], [hashOf(there), hashOf(back)]);
  });
});

test("the TCP relay Worker hands half-closes on, either way first", async () => {
  const [question, answer] = [{ bytes: MIB + 1, seed: 3 }, { bytes: 2 * MIB, seed: 4 }];
  for (const clientFirst of [true, false]) {
    await withRelay({}, async (client, server) => {
      const [first, second] = clientFirst ? [client, server] : [server, client];
      await first.send(question);
      await first.finish();
      const asked = await second.until({ ended: true });
      assertEquals([asked.hash, asked.ended.how], [hashOf(question), "eof"]);
      await second.send(answer);
      await second.finish();
      const answered = await first.until({ ended: true });
      assertEquals([answered.hash, answered.ended.how], [hashOf(answer), "eof"]);
    });
  }
});

test("the TCP relay Worker ends the one when the other is reset", async () => {
  for (const clientFirst of [true, false]) {
    await withRelay({}, async (client, server) => {
      const [first, second] = clientFirst ? [client, server] : [server, client];
      await first.send({ bytes: 1000 });
      await second.until({ received: 1000 });
      await first.reset();
      // workerd cannot reset: how it looks is not told.
      await second.until({ ended: true });
    });
  }
});

test("the TCP relay Worker closes on a client whom it has no server for", async () => {
  const server = await listen("tcp");
  const { hostname, port } = server.address;
  await server.dispose();
  await serveWorker("tcp_relay_worker", "tcp", `${hostname}:${port}`, async (address) => {
    const client = await dialTcp(address);
    await client.until({ ended: true });
    await client.dispose();
  });
});
