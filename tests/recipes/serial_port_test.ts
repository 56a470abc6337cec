/** The recipe for a serial port, over a port that closes as Chromium's does. */
import { JoinError, memoryPair, type Pair } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { type Runtime, test } from "../harness.ts";
import { hashOf } from "../support/parcels.ts";
import { listen, type RemoteFar } from "../peer/client.ts";
import { FarEnd } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import { rejection } from "../support/async.ts";
import { relay, type SerialPort } from "./serial_port.ts";

/** Node 20 has no WebSocket. */
const on: readonly Runtime[] = "WebSocket" in globalThis
  ? ["deno", "bun", "node", "chromium", "firefox", "webkit"]
  : [];

/** Its `close()` cancels and aborts its streams, and rejects while one of them is locked. */
class Port implements SerialPort {
  readable: Pair["readable"] | null = null;
  writable: Pair["writable"] | null = null;
  /** What `close()` has come to each time. */
  readonly closes: string[] = [];
  /** Behind the wire. */
  readonly device: FarEnd;
  readonly #streams: Pair;

  constructor() {
    const [streams, there] = memoryPair();
    this.#streams = streams;
    this.device = new FarEnd(new PairWire(there));
  }

  open(): Promise<void> {
    this.readable = this.#streams.readable;
    this.writable = this.#streams.writable;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const { readable, writable } = this;
    // Of one that is locked it could do neither.
    const locked = readable?.locked || writable?.locked;
    this.closes.push(locked ? "locked" : "closed");
    if (locked) throw new TypeError("Cannot cancel a locked stream");
    await Promise.allSettled([readable?.cancel(), writable?.abort()]);
    this.readable = this.writable = null;
  }
}

async function relaying(
  body: (it: { port: Port; server: RemoteFar; joined: ReturnType<typeof relay> }) => Promise<void>,
) {
  const server = await listen("websocket");
  const port = new Port();
  const joined = relay(port, new WebSocket(server.address.url));
  joined.catch(() => {});
  await body({ port, server, joined });
  await port.device.dispose();
  await server.dispose();
}

const [question, answer] = [{ bytes: 10_000, seed: 1 }, { bytes: 30_000, seed: 2 }];

async function exchange(port: Port, server: RemoteFar): Promise<void> {
  await server.send(question);
  assertEquals(
    (await port.device.until({ received: question.bytes })).hash,
    hashOf(question),
  );
  await port.device.send(answer);
  assertEquals((await server.until({ received: answer.bytes })).hash, hashOf(answer));
}

test("a serial port is unlocked and closed when the server has ended", { on }, async () => {
  await relaying(async ({ port, server, joined }) => {
    await exchange(port, server);
    await server.finish();
    const { aToB, bToA } = await joined;
    assertEquals([aToB.bytes, bToA.bytes], [answer.bytes, question.bytes]);
    assertEquals(port.closes, ["closed"]);
  });
});

test("... when the server is cut off", { on }, async () => {
  await relaying(async ({ port, server, joined }) => {
    await exchange(port, server);
    await server.reset();
    const error = await rejection(joined);
    assertInstanceOf(error, JoinError);
    assertEquals([error.reason, error.end], ["reset", "b"]);
    assertEquals(port.closes, ["closed"]);
  });
});

test("... and when the device is unplugged, of which the server hears", { on }, async () => {
  await relaying(async ({ port, server, joined }) => {
    await exchange(port, server);
    await port.device.reset();
    const error = await rejection(joined);
    assertInstanceOf(error, JoinError);
    assertEquals(error.end, "a");
    assertEquals(port.closes, ["closed"]);
    assertEquals((await server.until({ ended: true })).ended.how, "reset");
  });
});

test("a port that cannot be opened ends the WebSocket as well", { on }, async () => {
  const refusal = new DOMException("The port is already open.", "InvalidStateError");
  const server = await listen("websocket");
  const feed = new WebSocket(server.address.url);
  const opened = new Promise((resolve) => feed.onopen = resolve);
  const port = new Port();
  port.open = async () => {
    await opened;
    throw refusal;
  };
  assertStrictEquals(await rejection(relay(port, feed)), refusal);
  await server.until({ ended: true });
  await port.device.dispose();
  await server.dispose();
});
