import { assert, assertEquals, assertRejects } from "@std/assert";
import { forward } from "../../src/forward/main.ts";
import { connect } from "node:net";
import { test } from "../harness.ts";
import * as t from "./helper.ts";

test("echo: returns every byte, and its end after the client's", async () => {
  await using local = await t.Local.start({ target: "echo:" });
  using client = await local.connect();
  await t.send(client, "hello");
  assertEquals(await t.receive(client, 5), "hello");
  assertEquals(await t.exchange(client, " again"), " again");
  const event = await local.closed();
  assertEquals(event, { ...event, id: 1, to: "echo:", aToB: 11, bToA: 11, reason: "eof" });
  assert(!("error" in event));
});

test("echo: returns 20 MB to a client that reads late", async () => {
  await using local = await t.Local.start({ target: "echo:" });
  using client = await local.connect();
  const sent = new Uint8Array(20_000_003).map((_, i) => i * 31 + (i >> 12));
  const sending = t.send(client, sent).then(() => client.closeWrite());
  const received = await t.receiveAll(client);
  await sending;
  assertEquals(received.length, sent.length);
  assert(received.every((byte, i) => byte === sent[i]));
});

test("discard: reads all, sends nothing, and ends its side after the client's", async () => {
  await using local = await t.Local.start({ target: "discard:" });
  using client = await local.connect();
  assertEquals(await t.exchange(client, "x".repeat(1_000_000)), "");
  const event = await local.closed();
  assertEquals(event, { ...event, to: "discard:", aToB: 1_000_000, bToA: 0, reason: "eof" });
});

test("a request's end reaches the target, and its late reply the client", async () => {
  using server = t.target(async (conn) => {
    const request = new TextDecoder().decode(await t.receiveAll(conn));
    await t.send(conn, `late reply to ${request}`);
    await conn.closeWrite();
  });
  await using local = await t.Local.start({ target: server.address });
  using client = await local.connect();
  assertEquals(await t.exchange(client, "request"), "late reply to request");
  const event = await local.closed();
  assertEquals(event, { ...event, aToB: 7, bToA: 21, reason: "eof", to: server.address });
});

test("a target's end reaches the client, which may go on sending", async () => {
  const received = Promise.withResolvers<Uint8Array>();
  using server = t.target(async (conn) => {
    await conn.closeWrite();
    received.resolve(await t.receiveAll(conn));
  });
  await using local = await t.Local.start({ target: server.address });
  using client = await local.connect();
  assertEquals(await client.read(new Uint8Array(1)), null);
  await t.send(client, "afterwards");
  await client.closeWrite();
  assertEquals(new TextDecoder().decode(await received.promise), "afterwards");
  await local.closed();
});

test("it forwards over IPv6, on both sides", async () => {
  await using inner = await t.Local.start({ listen: "tcp://[::1]:0" });
  assert(/^tcp:\/\/\[::1\]:[1-9]\d*$/.test(inner.forwarder.address), inner.forwarder.address);
  await using outer = await t.Local.start({
    listen: "tcp://[::1]:0",
    target: inner.forwarder.address,
  });
  using client = await outer.connect();
  assertEquals(await t.exchange(client, "six"), "six");
  const event = await outer.closed();
  assertEquals(event, {
    ...event,
    from: `tcp://[::1]:${client.localAddr.transport === "tcp" ? client.localAddr.port : ""}`,
    to: inner.forwarder.address,
  });
});

test("it forwards over unix sockets, on both sides", async () => {
  using directory = t.temporaryDirectory();
  const [first, second] = [`unix:${directory.path}/1`, `unix:${directory.path}/2`];
  await using _inner = await t.Local.start({ listen: second });
  await using outer = await t.Local.start({ listen: first, target: second });
  assertEquals(outer.forwarder.address, first);
  using client = await outer.connect();
  assertEquals(await t.exchange(client, "unix"), "unix");
  const event = await outer.closed();
  assertEquals(event, { ...event, from: first, to: second, aToB: 4, bToA: 4, reason: "eof" });
});

test("instead of port 0 the forwarder reports the port that was chosen", async () => {
  await using local = await t.Local.start();
  const { address, target } = local.forwarder;
  assert(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/.test(address), address);
  assertEquals(local.events.all, [{ event: "listen", address, target }]);
});

test("cutting one connection leaves the others alone", async () => {
  await using local = await t.Local.start({ limit: 10 });
  using steady = await local.connect();
  await t.send(steady, "one");
  assertEquals(await t.receive(steady, 3), "one");
  using greedy = await local.connect();
  await t.send(greedy, "x".repeat(11));
  const event = await local.closed(2);
  assertEquals(event, { ...event, aToB: 10, reason: "limit" });
  assert(event.error?.includes("10"));
  assertEquals(await t.exchange(steady, "two"), "two");
});

test("a connection that is idle is cut", async () => {
  await using local = await t.Local.start({ idleTimeout: 30 });
  using client = await local.connect();
  const event = await local.closed();
  assertEquals(event, { ...event, aToB: 0, bToA: 0, reason: "idle" });
  await client.read(new Uint8Array(1)).catch(() => {});
});

test("a connection that lasts too long is cut, whatever moves", async () => {
  await using local = await t.Local.start({ maxDuration: 100 });
  using client = await local.connect();
  const talking = (async () => {
    while (true) {
      await t.send(client, "on and on");
      await t.receive(client, 9);
    }
  })().catch(() => {});
  const event = await local.closed();
  assertEquals(event, { ...event, reason: "duration" });
  assert(event.error?.includes("100 ms"), event.error);
  assert(event.aToB > 0 && event.ms >= 90, JSON.stringify(event));
  await talking;
});

test("halfClose: end closes the connection at the end of one side", async () => {
  const ended = Promise.withResolvers<void>();
  using server = t.target(async (conn) => {
    await t.receiveAll(conn);
    // It would go on.
    await conn.write(new Uint8Array(10)).catch(() => {});
    await ended.promise;
  });
  await using local = await t.Local.start({ target: server.address, halfClose: "end" });
  using client = await local.connect();
  assertEquals(await t.exchange(client, "last words"), "");
  const event = await local.closed();
  assertEquals(event, { ...event, aToB: 10, bToA: 0, reason: "eof" });
  ended.resolve();
});

test("a side that stays silent after the other's end is closed", async () => {
  const over = Promise.withResolvers<void>();
  using server = t.target(async (conn) => {
    await t.receiveAll(conn);
    await over.promise;
  });
  await using local = await t.Local.start({ target: server.address, halfCloseTimeout: 30 });
  using client = await local.connect();
  assertEquals(await t.exchange(client, "anyone?"), "");
  const event = await local.closed();
  assertEquals(event, { ...event, aToB: 7, bToA: 0, reason: "half-close-timeout" });
  over.resolve();
});

test("a rate holds back", async () => {
  await using local = await t.Local.start({ target: "discard:", rate: 100_000 });
  using client = await local.connect();
  await t.exchange(client, "x".repeat(40_000));
  const event = await local.closed();
  // 10 KB pass at once, the others take 300 ms.
  assert(event.ms >= 200, JSON.stringify(event));
  assertEquals(event, { ...event, aToB: 40_000, reason: "eof" });
});

test("an answer's second part does not wait for the first to be acknowledged", async () => {
  using server = t.target(async (conn: Deno.TcpConn) => {
    conn.setNoDelay(true);
    while (await conn.read(new Uint8Array(1)) !== null) {
      await t.send(conn, "1");
      // The relay is to see two parts.
      await new Promise((resolve) => setTimeout(resolve, 2));
      await t.send(conn, "2");
    }
  });
  await using local = await t.Local.start({ target: server.address });
  using client = await local.connect();
  const waits: number[] = [];
  for (let i = 0; i < 21; i++) {
    await t.send(client, "?");
    assertEquals(await t.receive(client, 1), "1");
    const start = performance.now();
    assertEquals(await t.receive(client, 1), "2");
    waits.push(performance.now() - start);
  }
  // Nagle's algorithm makes it 40 ms, once the first answers have gone.
  const median = waits.sort((a, b) => a - b)[10]!;
  assert(median < 25, String(waits));
  await client.closeWrite();
  await local.closed();
});

/** Whether the system probes a silent peer, of the IPv4 connections between two ports. */
function isKeptAlive(from: number, to: number): boolean {
  const address = (port: number) => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = Deno.readTextFileSync("/proc/net/tcp").split("\n");
  const line = lines.find((line) => line.includes(`: ${address(from)} ${address(to)} 01 `));
  // The timer that runs: 02 is keepalive's.
  return line?.trim().split(/\s+/)[5]?.startsWith("02:") ?? false;
}

async function untilKeptAlive(from: number, to: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (isKeptAlive(from, to)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`No keepalive from port ${from} to port ${to}`);
}

if (Deno.build.os === "linux") {
  test("a peer that is gone without a word is noticed: TCP keepalive on both sides", async () => {
    const accepted = Promise.withResolvers<Deno.TcpConn>();
    using server = t.target(async (conn) => {
      accepted.resolve(conn);
      await t.receiveAll(conn);
    });
    await using local = await t.Local.start({ target: server.address });
    using client = await Deno.connect({ port: Number(new URL(local.forwarder.address).port) });
    const conn = await accepted.promise;
    await untilKeptAlive(client.remoteAddr.port, client.localAddr.port);
    // The target may hear of its connection before the forwarder does.
    await untilKeptAlive(conn.remoteAddr.port, conn.localAddr.port);
    assert(!isKeptAlive(client.localAddr.port, client.remoteAddr.port), "the client's own");
  });
}

test("a target that refuses ends that connection, and no other", async () => {
  const vacant = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = vacant.addr;
  vacant.close();
  const to = `tcp://127.0.0.1:${port}`;
  await using local = await t.Local.start({ target: to });
  using client = await local.connect();
  assertEquals(await client.read(new Uint8Array(1)).catch(() => null), null);
  const error = `Cannot connect to ${to}: Connection refused`;
  const event = await local.closed();
  assertEquals(event, { ...event, to, aToB: 0, bToA: 0, reason: "refused", error });

  // It asks anew for each connection.
  using revived = Deno.listen({ hostname: "127.0.0.1", port });
  using second = await local.connect();
  using accepted = await revived.accept();
  await t.send(second, "hello");
  assertEquals(await t.receive(accepted, 5), "hello");
});

test("a target that is not there is unreachable, for that connection", async () => {
  using directory = t.temporaryDirectory();
  const to = `unix:${directory.path}/none`;
  await using local = await t.Local.start({ target: to });
  using client = await local.connect();
  await client.read(new Uint8Array(1)).catch(() => null);
  const error = `Cannot connect to ${to}: No such file or directory`;
  const event = await local.closed();
  assertEquals(event, { ...event, to, reason: "unreachable", error });
});

test("a target whose name is unknown is unreachable, for that connection", async () => {
  // Too long for a name: nobody needs to be asked.
  await using local = await t.Local.start({ target: `tcp://${"a".repeat(64)}:80` });
  using client = await local.connect();
  await client.read(new Uint8Array(1)).catch(() => null);
  const event = await local.closed();
  assertEquals(event.reason, "unreachable", event.error);
});

test("a client that resets ends its connection only, and the target's side too", async () => {
  const ended = Promise.withResolvers<void>();
  using server = t.target(async (conn) => {
    await t.send(conn, "x".repeat(1000));
    await t.receiveAll(conn).catch(() => {}).then(() => ended.resolve());
  });
  await using local = await t.Local.start({ target: server.address });
  using steady = await local.connect();
  await t.receive(steady, 1000);
  // A Deno.Conn cannot reset.
  const client = connect(Number(new URL(local.forwarder.address).port), "127.0.0.1");
  client.once("data", () => client.resetAndDestroy());
  await ended.promise;
  const event = await local.closed(2);
  assertEquals(event, { ...event, aToB: 0, bToA: 1000, reason: "reset" });
  assertEquals(event.error, "Cannot read from the client: Connection reset by peer");
  assertEquals(local.forwarder.stats().open, 1);
});

test("connecting that takes too long is given up", async () => {
  // A backlog of 1 that is full: the next handshake is not answered.
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = server.addr;
  const fillers: Deno.Conn[] = [];
  try {
    while (true) {
      fillers.push(
        await Deno.connect({ hostname: "127.0.0.1", port, signal: AbortSignal.timeout(200) }),
      );
    }
  } catch {
    // It is full.
  }
  const to = `tcp://127.0.0.1:${port}`;
  await using local = await t.Local.start({ target: to, connectTimeout: 50 });
  using client = await local.connect();
  assertEquals(await client.read(new Uint8Array(1)).catch(() => null), null);
  const error = `Cannot connect to ${to}: no answer within 50 ms`;
  const event = await local.closed();
  assertEquals(event, { ...event, to, aToB: 0, bToA: 0, reason: "connect-timeout", error });
  for (const conn of fillers) conn.close();
});

test("a unix target whose backlog is full is waited for", async () => {
  using directory = t.temporaryDirectory();
  const path = `${directory.path}/full`;
  using server = Deno.listen({ transport: "unix", path });
  const fillers: Deno.Conn[] = [];
  await assertRejects(async () => {
    while (true) fillers.push(await Deno.connect({ transport: "unix", path }));
  }, Deno.errors.WouldBlock);
  {
    await using local = await t.Local.start({ target: `unix:${path}`, connectTimeout: 50 });
    using client = await local.connect();
    await client.read(new Uint8Array(1)).catch(() => null);
    const event = await local.closed();
    assertEquals(event, { ...event, reason: "connect-timeout" });
  }
  await using local = await t.Local.start({ target: `unix:${path}` });
  using client = await local.connect();
  await t.send(client, "hello");
  for (const conn of fillers) {
    (await server.accept()).close();
    conn.close();
  }
  using accepted = await server.accept();
  assertEquals(await t.receive(accepted, 5), "hello");
});

test("once: the first is served, no other, and it is over", async () => {
  await using local = await t.Local.start({ once: true });
  using client = await local.connect();
  await t.send(client, "hello");
  assertEquals(await t.receive(client, 5), "hello");
  await t.untilRefused(local.forwarder.address);
  assertEquals(await t.exchange(client, "bye"), "bye");
  await local.forwarder.finished;
  assertEquals(local.forwarder.stats(), { open: 0, accepted: 1, aToB: 8, bToA: 8 });
});

test("at the maximum a client waits until another ends", async () => {
  await using local = await t.Local.start({ maxConnections: 2 });
  using first = await local.connect();
  using second = await local.connect();
  for (const conn of [first, second]) {
    await t.send(conn, "x");
    await t.receive(conn, 1);
  }
  using third = await local.connect();
  const reply = t.exchange(third, "waited");
  // The third is in the backlog; a round trip of another shows that it is not served meanwhile.
  await t.send(first, "y");
  await t.receive(first, 1);
  assertEquals(local.forwarder.stats().accepted, 2);
  assertEquals(await t.exchange(first, ""), "");
  assertEquals(await reply, "waited");
});

test("stats are live", async () => {
  await using local = await t.Local.start();
  using client = await local.connect();
  await t.send(client, "hello");
  await t.receive(client, 5);
  const { open, accepted, aToB } = local.forwarder.stats();
  assertEquals({ open, accepted, aToB }, { open: 1, accepted: 1, aToB: 5 });
  await t.exchange(client, "!");
  await local.closed();
  assertEquals(local.forwarder.stats(), { open: 0, accepted: 1, aToB: 6, bToA: 6 });
});

test("a listener of events that throws is reported, and ends nothing", async () => {
  const reported = Promise.withResolvers<unknown>();
  const onError = (event: globalThis.ErrorEvent) => {
    event.preventDefault();
    reported.resolve(event.error);
  };
  addEventListener("error", onError, { once: true });
  const mine = new Error("mine");
  await using forwarder = await forward({
    listen: "tcp://127.0.0.1:0",
    target: "echo:",
    onEvent: (event) => {
      if (event.event === "close" && event.id === 1) throw mine;
    },
  });
  using first = await t.connect(forwarder.address);
  assertEquals(await t.exchange(first, "one"), "one");
  assertEquals(await reported.promise, mine);
  using second = await t.connect(forwarder.address);
  assertEquals(await t.exchange(second, "two"), "two");
});

for (const workers of [1, 2]) {
  test(`with openEvents each connection is told of twice (workers: ${workers})`, async () => {
    const vacant = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const to = `tcp://127.0.0.1:${vacant.addr.port}`;
    vacant.close();
    await using local = await t.Local.start({ target: to, openEvents: true, workers });
    for (let i = 0; i < 10; i++) {
      using client = await local.connect();
      await client.read(new Uint8Array(1)).catch(() => null);
    }
    await local.forwarder.shutdown();
    const [, ...events] = local.events.all;
    const opened = events.filter((event) => event.event === "open");
    assertEquals([opened.length, new Set(opened.map(({ id }) => id)).size], [10, 10]);
    for (const open of opened) {
      const { id, from } = open;
      assert(/^tcp:\/\/127\.0\.0\.1:\d+$/.test(from), from);
      assertEquals(open, { event: "open", id, from, to });
      const rest = events.slice(events.indexOf(open) + 1);
      const closed = rest.filter((event) => event.event === "close").filter((e) => e.id === id);
      assertEquals(closed, [{ ...closed[0]!, from, to, reason: "refused" }]);
    }
  });
}

test("without openEvents there are only close events", async () => {
  await using local = await t.Local.start();
  using client = await local.connect();
  await t.exchange(client, "hello");
  await local.closed();
  assertEquals(local.events.all.map(({ event }) => event), ["listen", "close"]);
});
