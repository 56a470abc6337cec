/** WebSockets through h3 and crossws by the recipe, a process of its own, with the clients of `ws`. */
// @ts-types="../peer/wires/ws.d.ts"
import { WebSocket } from "ws";
import { assert, assertEquals } from "@std/assert";
import { Fingerprint, hashOf, PatternStream } from "../support/parcels.ts";
import { test } from "../harness.ts";
import { deferred } from "../support/async.ts";
import { bytes } from "../support/bytes.ts";
import { TestServer, text } from "./peers.ts";
import { Recipe } from "./recipe.ts";

const MIB = 1024 * 1024;

/** A client that is connected, what it has got, and how it was closed. */
class Client {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly got = new Fingerprint();
  #waiting?: { bytes: number; resolve: () => void };

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {}).on("message", (data) => {
      this.got.update(new Uint8Array(data));
      if (this.#waiting && this.got.bytes >= this.#waiting.bytes) this.#waiting.resolve();
    });
  }

  static async connect(port: number): Promise<Client> {
    const client = new Client(
      new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false }),
    );
    await new Promise<void>((resolve) => client.socket.once("open", resolve));
    return client;
  }

  send(data: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.send(data, { binary: true }, () => resolve()));
  }

  async until(bytes: number): Promise<void> {
    if (this.got.bytes >= bytes) return;
    await new Promise<void>((resolve) => this.#waiting = { bytes, resolve });
  }
}

test("what a WebSocket sends through h3 comes back as it was", async () => {
  await using server = new TestServer((socket) => void socket.pipe(socket));
  await using relay = new Recipe("h3_relay", 0, "127.0.0.1", await server.port());
  const client = await Client.connect(await relay.port());
  await client.send(bytes("hello"));
  await client.until(5);
  const pattern = new PatternStream(7);
  const all = new Fingerprint();
  all.update(bytes("hello"));
  for (let sent = 0; sent < 4 * MIB; sent += 64 * 1024) {
    const part = pattern.next(64 * 1024);
    all.update(part);
    await client.send(part.slice());
  }
  await client.until(all.bytes);
  assertEquals(client.got.hash, all.hash);
  client.socket.close(1000);
  assertEquals(await client.closed, 1000);
  assertEquals(await relay.line(), `${all.bytes} bytes there, ${all.bytes} back`);
});

test("a server's end closes the WebSocket, after all it has sent", async () => {
  await using server = new TestServer((socket) => {
    socket.end(new PatternStream(9).next(2 * MIB));
    socket.resume();
  });
  await using relay = new Recipe("h3_relay", 0, "127.0.0.1", await server.port());
  const client = await Client.connect(await relay.port());
  assertEquals(await client.closed, 1000);
  assertEquals([client.got.bytes, client.got.hash], [2 * MIB, hashOf({ bytes: 2 * MIB, seed: 9 })]);
});

test("a WebSocket that is closed is an end of file behind its last message", async () => {
  const { promise: got, resolve } = deferred<string>();
  await using server = new TestServer((socket) => {
    text(socket).then((all) => {
      resolve(all);
      socket.end();
    }, () => resolve("a reset"));
  });
  await using relay = new Recipe("h3_relay", 0, "127.0.0.1", await server.port());
  const client = await Client.connect(await relay.port());
  void client.send(bytes("first, "));
  void client.send(bytes("last"));
  client.socket.close(1000);
  assertEquals(await got, "first, last");
});

test("a WebSocket that is cut off resets the server", async () => {
  const { promise: failed, resolve } = deferred<unknown>();
  await using server = new TestServer((socket) => {
    socket.on("error", resolve).on("end", () => resolve("a clean end"));
    socket.write("hello");
    socket.resume();
  });
  await using relay = new Recipe("h3_relay", 0, "127.0.0.1", await server.port());
  const client = await Client.connect(await relay.port());
  await client.until(5);
  client.socket.terminate();
  assertEquals((await failed as { code?: string }).code, "ECONNRESET");
});

test("a server that resets is no clean end of the WebSocket", async () => {
  await using server = new TestServer((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  });
  await using relay = new Recipe("h3_relay", 0, "127.0.0.1", await server.port());
  const client = await Client.connect(await relay.port());
  await client.send(bytes("hello"));
  const code = await client.closed;
  assert(code !== 1000 && code !== 1005, `${code}`);
});
