/** The relay Worker as it would be deployed, bundled, on workerd: WebSocket ⇄ workerd ⇄ TCP. */
import { assertEquals, assertLess } from "@std/assert";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "../harness.ts";
import { hashOf } from "../support/parcels.ts";
import { dial, listen, type RemoteFar } from "../peer/client.ts";
import type { FarOptions } from "../peer/far_end.ts";
import { TestServer } from "../recipes/peers.ts";
import { deferred } from "../support/async.ts";
import { serveWorker } from "./workerd.ts";

const MIB = 1024 * 1024;

/** workerd with the relay, and the far sides on both sides of it. */
interface Relay {
  readonly url: string;
  readonly client: RemoteFar;
  readonly server: RemoteFar;
}

async function withRelay(options: FarOptions, body: (relay: Relay) => Promise<void>) {
  const server = await listen("tcp", options);
  const { hostname, port } = server.address;
  await withWorker(`${hostname}:${port}`, async (address) => {
    const url = `http://${address}/`;
    const client = await dial("websocket", { url: `ws://${address}/` }, options);
    await body({ url, client, server });
    await client.dispose();
  });
  await server.dispose();
}

const withWorker = (target: string, body: (address: string) => Promise<void>) =>
  serveWorker("relay_worker", "http", target, body);

test("the relay Worker passes all both ways, to readers that stall", async () => {
  const [there, back] = [{ bytes: 12 * MIB, seed: 1 }, { bytes: 32 * MIB, seed: 2 }];
  await withRelay({ paused: true }, async ({ client, server }) => {
    const sent = [client.send(there), server.send(back)];
    await client.until({ quiet: 1000 });
    await Promise.all([client.resume(), server.resume(), ...sent]);
    const [atServer, atClient] = await Promise.all([
      server.until({ received: there.bytes }),
      client.until({ received: back.bytes }),
    ]);
    assertEquals([atServer.hash, atClient.hash], [hashOf(there), hashOf(back)]);
  });
});

test("the relay Worker hands the client's end on after all that it has sent", async () => {
  const parcel = { bytes: 3 * MIB + 1, seed: 3 };
  await withRelay({}, async ({ client, server }) => {
    await client.send(parcel);
    await client.finish();
    const { hash, ended } = await server.until({ ended: true });
    assertEquals([hash, ended.how], [hashOf(parcel), "eof"]);
    await server.finish();
    const at = await client.until({ ended: true });
    assertEquals([at.ended.how, at.ended.code], ["eof", 1000]);
  });
});

test("the relay Worker goes on one way once the server has ended", async () => {
  const [reply, more] = [{ bytes: MIB, seed: 4 }, { bytes: 2 * MIB, seed: 5 }];
  await withRelay({}, async ({ client, server }) => {
    await server.send(reply);
    await server.finish();
    const got = await client.until({ received: reply.bytes, quiet: 200 });
    // A WebSocket cannot be half-closed: it stays open for what the client still sends.
    assertEquals([got.hash, got.ended.how], [hashOf(reply), "open"]);
    await client.send(more);
    await client.finish();
    const { hash, ended } = await server.until({ ended: true });
    assertEquals([hash, ended.how], [hashOf(more), "eof"]);
  });
});

test("the relay Worker tells a client that the server was reset", async () => {
  await withRelay({}, async ({ client, server }) => {
    await server.send({ bytes: 1000 });
    await client.until({ received: 1000 });
    await server.reset();
    const { ended } = await client.until({ ended: true });
    assertEquals([ended.how, ended.code], ["reset", 4000]);
  });
});

test("the relay Worker ends the server's connection when the client is cut off", async () => {
  await withRelay({}, async ({ client, server }) => {
    await client.send({ bytes: 1000 });
    await server.until({ received: 1000 });
    const start = performance.now();
    await client.reset();
    await server.until({ ended: true });
    assertLess(performance.now() - start, 2000);
  });
});

test("the relay Worker tells a client that there is no server", async () => {
  const server = await listen("tcp");
  const { hostname, port } = server.address;
  await server.dispose();
  await withWorker(`${hostname}:${port}`, async (address) => {
    const client = await dial("websocket", { url: `ws://${address}/` });
    const { ended } = await client.until({ ended: true });
    assertEquals([ended.how, ended.code], ["reset", 4000]);
    await client.dispose();
  });
});

test("the relay Worker is for WebSockets alone", async () => {
  await withRelay({}, async ({ url }) => {
    const response = await fetch(url);
    assertEquals([response.status, await response.text()], [426, "Only for WebSockets"]);
  });
});

test("the relay Worker tells a client that goes on sending of the server's last word and its end", async () => {
  await withServer((socket) => {
    socket.once("data", () => socket.pause().end("bye", () => socket.destroy()));
  }, async (client, told) => {
    const type = () => client.readyState === WebSocket.OPEN && client.send("still there?");
    type();
    const typing = setInterval(type, 100);
    const [{ code }] = await once(client, "close");
    clearInterval(typing);
    assertEquals([code, told], [1000, ["bye"]]);
  });
});

test("the relay Worker closes a silent server's connection when the client leaves", async () => {
  const ended = deferred();
  await withServer((socket) => void socket.resume().on("end", ended.resolve), async (client) => {
    client.close(1000);
    await ended.promise;
  });
});

/** A client of the relay in front of a server, and all that it is told. */
async function withServer(
  serve: (socket: Socket) => void,
  body: (client: WebSocket, told: readonly string[]) => Promise<void>,
): Promise<void> {
  await using server = new TestServer(serve);
  await withWorker(`127.0.0.1:${await server.port()}`, async (address) => {
    const client = new WebSocket(`ws://${address}/`);
    client.binaryType = "arraybuffer";
    const told: string[] = [];
    client.addEventListener("message", ({ data }) => told.push(new TextDecoder().decode(data)));
    await once(client, "open");
    await body(client, told);
    client.close();
  });
}
