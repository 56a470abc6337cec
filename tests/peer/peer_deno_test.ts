/**
 * The peer itself: what its far ends say is what has happened.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect as connectSocket } from "node:net";
import { test } from "../harness.ts";
import { Fingerprint, hashOf, pattern, PatternStream } from "../support/parcels.ts";
import { certificate, dial, listen, type RemoteFar } from "./client.ts";
import type { Protocol } from "./protocol.ts";

const MIB = 1024 * 1024;
const protocols = ["tcp", "unix", "tls"] as const;

/** A raw conn whose peer is the far end. */
async function connect(protocol: Protocol, { address }: RemoteFar): Promise<Deno.Conn> {
  const { hostname, port, path, ca } = address;
  if (protocol === "unix") return await Deno.connect({ transport: "unix", path });
  if (protocol === "tcp") return await Deno.connect({ hostname, port });
  const conn = await Deno.connectTls({ hostname, port, caCerts: [ca] });
  await conn.handshake();
  return conn;
}

async function read(conn: Deno.Conn): Promise<Fingerprint> {
  const came = new Fingerprint();
  const p = new Uint8Array(64 * 1024);
  for (let n = await conn.read(p); n !== null; n = await conn.read(p)) {
    came.update(p.subarray(0, n));
  }
  return came;
}

async function write(conn: Deno.Conn, length: number, seed: number): Promise<void> {
  const bytes = pattern(length, seed);
  for (let at = 0; at < length;) at += await conn.write(bytes.subarray(at));
}

test("peer: a pattern made in parts is the pattern, and its hash tells", () => {
  const stream = new PatternStream(5);
  const whole = pattern(200_001, 5);
  const came = new Fingerprint();
  for (
    let at = 0, part = 1;
    at < whole.length;
    at += part, part = Math.min(2 * part + 1, whole.length - at)
  ) {
    const bytes = stream.next(part);
    assertEquals(bytes, whole.subarray(at, at + part));
    came.update(bytes);
  }
  assertEquals(came.hash, hashOf({ bytes: whole.length, seed: 5 }));
  const unaligned = new Fingerprint();
  unaligned.update(whole.subarray(0, 3));
  unaligned.update(whole.subarray(3, 3));
  unaligned.update(whole.subarray(3, 100_001));
  unaligned.update(Buffer.from(whole.buffer, 100_001));
  assertEquals(unaligned.hash, came.hash);
  for (const [from, to] of [[10, 11], [65_536, 131_072], [0, 1]]) {
    const other = new Fingerprint();
    other.update(whole.subarray(0, from));
    other.update(whole.subarray(to));
    other.update(whole.subarray(from, to));
    assert(other.hash !== came.hash, "bytes in another order have the same hash");
  }
});

for (const protocol of protocols) {
  test(`peer ${protocol}: half-closes each way, and counts what it gets and gives`, async () => {
    await using far = await listen(protocol);
    const conn = await connect(protocol, far);
    await write(conn, 3 * MIB + 1, 3);
    await conn.closeWrite();
    const { received, hash, ended } = await far.until({ ended: true });
    assertEquals({ received, hash, how: ended.how }, {
      received: 3 * MIB + 1,
      hash: hashOf({ bytes: 3 * MIB + 1, seed: 3 }),
      how: "eof",
    });
    const sent = far.send({ bytes: 2 * MIB + 3, seed: 4, chunk: 1001 });
    const more = far.send({ bytes: 17, seed: 5 });
    const finished = far.finish();
    assertEquals(
      (await read(conn)).hash,
      hashOf({ bytes: 2 * MIB + 3, seed: 4 }, { bytes: 17, seed: 5 }),
    );
    await Promise.all([sent, more, finished]);
    assertEquals((await far.stats()).sent, 2 * MIB + 20);
    conn.close();
  });

  test(`peer ${protocol}: paused, it takes nothing; its own sending waits for the reader`, async () => {
    await using far = await listen(protocol, { paused: true });
    const conn = await connect(protocol, far);
    const size = 32 * MIB;
    const writing = write(conn, size, 6);
    assertEquals((await far.until({ quiet: 200 })).received, 0);
    await far.resume();
    await writing;
    assertEquals((await far.until({ received: size })).hash, hashOf({ bytes: size, seed: 6 }));
    void far.send({ bytes: size, seed: 7 });
    void far.finish();
    const { sent } = await far.until({ sent: 1, quiet: 300 });
    assert(sent < size / 2, `${sent} bytes taken with nobody reading`);
    assertEquals((await read(conn)).hash, hashOf({ bytes: size, seed: 7 }));
    conn.close();
  });

  test(`peer ${protocol}: resets`, async () => {
    await using far = await listen(protocol, { paused: true });
    const conn = await connect(protocol, far);
    // A Unix socket resets only if there is something unread.
    await write(conn, 10, 8);
    await far.until({ quiet: 50 });
    await far.reset();
    await assertRejects(() => read(conn), Deno.errors.ConnectionReset);
    conn.close();
  });
}

test("peer tcp: sees a reset", async () => {
  await using far = await listen("tcp");
  const socket = connectSocket(far.address.port, far.address.hostname);
  await new Promise<void>((resolve) => socket.write("12345", () => resolve()));
  await far.until({ received: 5 });
  socket.resetAndDestroy();
  assertEquals((await far.until({ ended: true })).ended.how, "reset");
  await assertRejects(() => far.send({ bytes: 1 }));
});

test("peer: dials, echoes, and says what is refused", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [conn, far] = await Promise.all([
    listener.accept(),
    dial("tcp", { port: listener.addr.port }, { echo: true }),
  ]);
  await write(conn, 100_000, 10);
  await conn.closeWrite();
  assertEquals((await read(conn)).hash, hashOf({ bytes: 100_000, seed: 10 }));
  conn.close();
  await far.dispose();
  listener.close();
  await assertRejects(() => dial("tcp", { port: listener.addr.port }), Error, "ECONNREFUSED");
  await assertRejects(() => far.stats(), Error, "no far end");
});

test("peer: dials TLS", async () => {
  const { cert, key } = await certificate();
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const accepting = listener.accept().then(async (conn) => {
    await conn.handshake();
    return conn;
  });
  const [conn, far] = await Promise.all([
    accepting,
    dial("tls", { port: listener.addr.port, ca: cert }),
  ]);
  await far.send({ bytes: 10 });
  await far.finish();
  assertEquals((await read(conn)).bytes, 10);
  conn.close();
  assertEquals((await far.until({ ended: true })).ended.how, "eof");
  await far.dispose();
});
