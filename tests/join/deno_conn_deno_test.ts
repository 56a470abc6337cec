/**
 * `join` between raw `Deno.Conn`s, over real sockets, and the facts about them that it relies on.
 *
 * @module
 */
import {
  join,
  JoinError,
  type JoinOptions,
  type JoinResult,
  type JoinStats,
} from "@webstreams/join";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { connect, type Socket } from "node:net";
import { type Certificate, selfSigned } from "../tools/certs.ts";
import { test } from "../harness.ts";

type Transport = "tcp" | "unix" | "tls";
type Bytes = Uint8Array<ArrayBuffer>;

const transports: readonly Transport[] = ["tcp", "unix", "tls"];
const pairs: readonly (readonly [Transport, Transport])[] = [
  ["tcp", "tcp"],
  ["tcp", "unix"],
  ["unix", "tls"],
  ["tls", "tcp"],
  ["tls", "tls"],
];
const MIB = 1024 * 1024;
/** An abort must not take as long as the second that waiting is otherwise bounded by. */
const AT_ONCE_MS = 900;

let certificate: Promise<Certificate> | undefined;

/** Two connected ends: the one that was accepted, and its peer. */
async function connected(transport: Transport): Promise<[near: Deno.Conn, far: Deno.Conn]> {
  if (transport === "tls") return await connectedTls();
  if (transport === "unix") {
    const folder = await Deno.makeTempDir();
    const address = { transport: "unix", path: `${folder}/socket` } as const;
    using listener = Deno.listen(address);
    const [near, far] = await Promise.all([listener.accept(), Deno.connect(address)]);
    await Deno.remove(folder, { recursive: true });
    return [near, far];
  }
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  return await Promise.all([listener.accept(), Deno.connect({ hostname, port })]);
}

/** An end whose peer can be reset. */
async function resettable(): Promise<[near: Deno.Conn, far: Socket]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const far = connect(port, hostname);
  far.on("error", () => {});
  const [near] = await Promise.all([
    listener.accept(),
    new Promise<void>((resolve) => far.once("connect", () => resolve())),
  ]);
  return [near, far];
}

/** @param through Where to connect instead: something that leads to the listener's port. */
async function connectedTls(
  through: (port: number) => number = (port) => port,
): Promise<[Deno.TlsConn, Deno.TlsConn]> {
  const { cert, key } = await (certificate ??= selfSigned());
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const { hostname, port } = listener.addr;
  const address = { hostname, port: through(port), caCerts: [cert] };
  const [near, far] = await Promise.all([listener.accept(), Deno.connectTls(address)]);
  await Promise.all([near.handshake(), far.handshake()]);
  return [near, far];
}

/** Two peers, `a` and `b`, and the join between them. */
interface Joined extends AsyncDisposable {
  readonly a: Deno.Conn;
  readonly b: Deno.Conn;
  readonly near: { readonly a: Deno.Conn; readonly b: Deno.Conn };
  /** How the join ends; never rejects. */
  readonly ending: Promise<{ result: JoinResult } | { error: unknown }>;
}

async function joined(
  transportA: Transport,
  transportB: Transport,
  options?: JoinOptions,
): Promise<Joined> {
  const [[nearA, a], [nearB, b]] = await Promise.all([
    connected(transportA),
    connected(transportB),
  ]);
  const ending = join(nearA, nearB, options).then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  return {
    a,
    b,
    near: { a: nearA, b: nearB },
    ending,
    async [Symbol.asyncDispose]() {
      close(a);
      close(b);
      await ending;
      // Whatever happened, `join` has closed its own two.
      for (const near of [nearA, nearB]) {
        await assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.BadResource);
      }
    },
  };
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}

async function succeeds({ ending }: Joined): Promise<JoinResult> {
  const outcome = await ending;
  if ("error" in outcome) throw outcome.error;
  return outcome.result;
}

async function fails({ ending }: Joined): Promise<JoinError> {
  const outcome = await ending;
  assert("error" in outcome, "the join succeeds");
  assertInstanceOf(outcome.error, JoinError);
  return outcome.error;
}

async function writeAll(conn: Deno.Conn, bytes: Bytes): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function say(conn: Deno.Conn, text: string): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(text));
}

async function readAll(conn: Deno.Conn): Promise<Bytes> {
  const parts: Bytes[] = [];
  const p = new Uint8Array(64 * 1024);
  for (let n = await conn.read(p); n !== null; n = await conn.read(p)) parts.push(p.slice(0, n));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function hear(conn: Deno.Conn): Promise<string> {
  return new TextDecoder().decode(await readAll(conn));
}

/** Writes until a write has to wait for the peer, which reads nothing. */
async function flood(conn: Deno.Conn): Promise<{ written: number; pending: Promise<number> }> {
  const chunk = new Uint8Array(256 * 1024);
  for (let written = 0;;) {
    const pending = conn.write(chunk);
    // It fails when the peer goes: whoever waits for it sees that.
    pending.catch(() => {});
    const count = await Promise.race([pending, later(100)]);
    if (count === undefined) return { written, pending };
    written += count;
  }
}

function later(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}

/** So many bytes, no two mebibytes of them alike. */
function noise(length: number): Bytes {
  const bytes = new Uint8Array(length);
  const block = crypto.getRandomValues(new Uint8Array(64 * 1024));
  const view = new DataView(block.buffer);
  for (let at = 0; at < length; at += block.length) {
    view.setUint32(0, at);
    bytes.set(block.subarray(0, length - at), at);
  }
  return bytes;
}

async function hash(bytes: Bytes): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

for (const [transportA, transportB] of pairs) {
  const title = `join(${transportA}, ${transportB})`;

  test(`${title}: an answer comes after the question has ended`, async () => {
    await using it = await joined(transportA, transportB);
    await say(it.a, "question");
    await it.a.closeWrite();
    assertEquals(await hear(it.b), "question");
    await say(it.b, "the answer");
    await it.b.closeWrite();
    assertEquals(await hear(it.a), "the answer");
    const { aToB, bToA, ended } = await succeeds(it);
    assertEquals([aToB.bytes, bToA.bytes, ended], [8, 10, "eof"]);
  });

  test(`${title}: the other way round`, async () => {
    await using it = await joined(transportA, transportB);
    await it.b.closeWrite();
    assertEquals(await hear(it.a), "");
    await say(it.a, "still here");
    await it.a.closeWrite();
    assertEquals(await hear(it.b), "still here");
    const { aToB, bToA } = await succeeds(it);
    assertEquals([aToB.bytes, bToA.bytes], [10, 0]);
  });

  test(`${title}: 32 MiB each way at once arrive as they are`, async () => {
    const stats: JoinStats = {};
    await using it = await joined(transportA, transportB, { stats });
    const send = async (conn: Deno.Conn, bytes: Bytes) => {
      await writeAll(conn, bytes);
      await conn.closeWrite();
    };
    const there = noise(32 * MIB);
    const back = noise(32 * MIB + 7);
    const [, , atB, atA] = await Promise.all([
      send(it.a, there),
      send(it.b, back),
      readAll(it.b),
      readAll(it.a),
    ]);
    assertEquals([await hash(atB), await hash(atA)], [await hash(there), await hash(back)]);
    const { aToB, bToA } = await succeeds(it);
    assertEquals([aToB.bytes, bToA.bytes], [there.length, back.length]);
    assertEquals(stats, { aToB, bToA });
  });

  test(`${title}: both peers end at the same time`, async () => {
    await using it = await joined(transportA, transportB);
    await Promise.all([say(it.a, "bye"), say(it.b, "goodbye")]);
    await Promise.all([it.a.closeWrite(), it.b.closeWrite()]);
    assertEquals(await Promise.all([hear(it.a), hear(it.b)]), ["goodbye", "bye"]);
    assertEquals((await succeeds(it)).ended, "eof");
  });

  test(`${title}: an abort with both peers stalled ends at once`, async () => {
    const aborter = new AbortController();
    await using it = await joined(transportA, transportB, { signal: aborter.signal });
    const floods = await Promise.all([flood(it.a), flood(it.b)]);
    const reason = new Error("enough");
    const start = performance.now();
    aborter.abort(reason);
    const outcome = await it.ending;
    const took = performance.now() - start;
    assert("error" in outcome);
    assertStrictEquals(outcome.error, reason);
    assert(took < AT_ONCE_MS, `took ${took} ms`);
    // Closed TLS still sends what it holds: its peer may only learn of it by reading on.
    for (const conn of [it.a, it.b]) conn.close();
    await Promise.allSettled(floods.map(({ pending }) => pending));
  });
}

test("join(tcp, tcp): a reset by a peer is an error of both directions", async () => {
  const [nearA, socket] = await resettable();
  const [nearB, b] = await connected("tcp");
  const ending = assertRejects(() => join(nearA, nearB), JoinError);
  socket.write("before");
  assertEquals(await b.read(new Uint8Array(100)), 6);
  socket.resetAndDestroy();
  const { cause, direction, side, end, aToB } = await ending;
  assertInstanceOf(cause, Deno.errors.ConnectionReset);
  assertEquals({ direction, side, end }, { direction: "aToB", side: "read", end: "a" });
  assertEquals(aToB.bytes, 6);
  b.close();
});

test("join(tcp, tcp): a reset during a write is no end of file", async () => {
  const [nearA, socket] = await resettable();
  const [nearB, b] = await connected("tcp");
  const ending = assertRejects(() => join(nearA, nearB), JoinError);
  socket.pause();
  const { pending } = await flood(b);
  socket.resetAndDestroy();
  const { cause, end, bToA } = await ending;
  assertEquals(end, "a");
  assertInstanceOf(cause, Deno.errors.ConnectionReset);
  assert(bToA.bytes > 0);
  await Promise.allSettled([pending]);
  b.close();
});

test("join(unix, tcp): a reset by a peer is an error of both directions", async () => {
  await using it = await joined("unix", "tcp");
  await say(it.b, "unread");
  await later(50);
  it.a.close();
  const { cause, direction, side, end } = await fails(it);
  assertInstanceOf(cause, Deno.errors.ConnectionReset);
  assertEquals({ direction, side, end }, { direction: "aToB", side: "read", end: "a" });
});

for (const transport of transports) {
  test(`join(${transport}, tcp): a peer that closes with unread input fails its write`, async () => {
    await using it = await joined(transport, "tcp");
    const { pending } = await flood(it.b);
    it.a.close();
    const { cause, end, bToA } = await fails(it);
    assertEquals(end, "a");
    assert(isBroken(cause), `fails with ${cause}`);
    assert(bToA.bytes > 0);
    await Promise.allSettled([pending]);
  });

  test(`join(${transport}, tcp): a write to a peer that has gone fails`, async () => {
    await using it = await joined(transport, "tcp");
    it.a.close();
    assertEquals(await hear(it.b), "");
    const flooding = (async () => {
      for (;;) await say(it.b, "is anybody there?");
    })();
    const { cause, direction, side, end } = await fails(it);
    assert(isBroken(cause), `fails with ${cause}`);
    assertEquals({ direction, side, end }, { direction: "bToA", side: "write", end: "a" });
    await Promise.allSettled([flooding]);
  });
}

function isBroken(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset, NotConnected } = Deno.errors;
  return [BrokenPipe, ConnectionReset, NotConnected].some((kind) => error instanceof kind);
}

/** A TLS connection by way of plain sockets, which can be cut without a close_notify. */
async function tlsWithCut(): Promise<{ near: Deno.TlsConn; far: Deno.TlsConn; cut: () => void }> {
  const middle = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.Conn[] = [];
  const relay = async (port: number) => {
    const client = await middle.accept();
    middle.close();
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    conns.push(client, server);
    await Promise.allSettled([forward(client, server), forward(server, client)]);
  };
  const [near, far] = await connectedTls((port) => {
    void relay(port);
    return middle.addr.port;
  });
  return { near, far, cut: () => conns.forEach(close) };
}

/** Go's `io.Copy`. */
async function forward(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const p = new Uint8Array(4096);
  for (let n = await from.read(p); n !== null; n = await from.read(p)) {
    await writeAll(to, p.slice(0, n));
  }
}

test("join(tls, tcp): TLS that is cut short is an error, no end of file", async () => {
  const { near, far, cut } = await tlsWithCut();
  const [nearB, b] = await connected("tcp");
  const ending = assertRejects(() => join(near, nearB), JoinError);
  await say(far, "half of it");
  const p = new Uint8Array(100);
  assertEquals(await b.read(p), 10);
  cut();
  const { cause, direction, side, end, aToB } = await ending;
  assertInstanceOf(cause, Deno.errors.UnexpectedEof);
  assertEquals({ direction, side, end }, { direction: "aToB", side: "read", end: "a" });
  assertEquals(aToB.bytes, 10);
  for (const conn of [far, b]) close(conn);
});

test("join() delivers the reply that two native pipeTo() lose after a half-close", async () => {
  const ask = async (relay: (a: Deno.Conn, b: Deno.Conn) => Promise<unknown>) => {
    const [[nearA, a], [nearB, b]] = await Promise.all([connected("tcp"), connected("tcp")]);
    const relayed = relay(nearA, nearB).catch(() => {});
    await say(a, "question");
    await a.closeWrite();
    assertEquals(await hear(b), "question");
    await say(b, "reply");
    await b.closeWrite();
    const reply = await hear(a).catch((error: Error) => error.name);
    await relayed;
    for (const conn of [a, b, nearA, nearB]) close(conn);
    return reply;
  };
  assertEquals(await ask((a, b) => join(a, b)), "reply");
  const native = (a: Deno.Conn, b: Deno.Conn) =>
    Promise.allSettled([a.readable.pipeTo(b.writable), b.readable.pipeTo(a.writable)]);
  assertEquals(
    await ask(native),
    "",
    "Deno has changed, for the better: two pipeTo() between conns now deliver what comes after a " +
      "half-close. Update .github/ENDS.md, the README and this test",
  );
});

test("Deno: the end of conn.readable closes the whole connection", async () => {
  const [near, far] = await connected("tcp");
  await far.closeWrite();
  const { done } = await near.readable.getReader().read();
  assertEquals(done, true);
  await assertRejects(() => near.write(new Uint8Array(1)), Deno.errors.BadResource);
  far.close();
});

test("Deno: conn.writable.abort() reaches the peer as a clean end of file", async () => {
  const [near, far] = await connected("tcp");
  await near.writable.abort(new Error("this is meant to be seen"));
  assertEquals(await far.read(new Uint8Array(1)), null);
  far.close();
  close(near);
});

test("Deno: closing with unread input loses what is on its way", async () => {
  const [near, far] = await connected("tcp");
  await say(far, "unread");
  await later(50);
  const { written, pending } = await flood(near);
  near.close();
  await Promise.allSettled([pending]);
  let arrived = 0;
  const p = new Uint8Array(64 * 1024);
  const reading = async () => {
    for (let n = await far.read(p); n !== null; n = await far.read(p)) arrived += n;
  };
  await assertRejects(reading, Deno.errors.ConnectionReset);
  assert(arrived < written, `${arrived} of ${written} bytes arrived`);
  far.close();
});

test("Deno: closing with unread input, and nothing on its way, looks like a clean end", async () => {
  const [near, far] = await connected("tcp");
  await say(far, "unread");
  await later(50);
  near.close();
  assertEquals(await far.read(new Uint8Array(1)), null);
  far.close();
});

test("Deno: a reset during a read is a ConnectionReset, and the next write a BrokenPipe", async () => {
  const [near, socket] = await resettable();
  const read = assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  socket.resetAndDestroy();
  await read;
  await assertRejects(() => near.write(new Uint8Array(1)), Deno.errors.BrokenPipe);
  near.close();
});

test("Deno: after a reset during a write the next read is a clean end of file", async () => {
  const [near, socket] = await resettable();
  socket.pause();
  const { pending } = await flood(near);
  socket.resetAndDestroy();
  await assertRejects(() => pending, Deno.errors.ConnectionReset);
  assertEquals(await near.read(new Uint8Array(1)), null);
  near.close();
});

test("Deno: TLS cut without close_notify is an UnexpectedEof", async () => {
  const { near, far, cut } = await tlsWithCut();
  cut();
  await assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.UnexpectedEof);
  close(near);
  close(far);
});

for (const transport of transports) {
  test(`Deno: closeWrite() of ${transport} ends one direction, and reading goes on`, async () => {
    const [near, far] = await connected(transport);
    await near.closeWrite();
    assertEquals(await hear(far), "");
    await say(far, "go on");
    await far.closeWrite();
    assertEquals(await hear(near), "go on");
    near.close();
    far.close();
  });

  test(`Deno: errors of ${transport} after closeWrite() and close()`, async () => {
    const [near, far] = await connected(transport);
    const { BadResource, BrokenPipe, Interrupted, NotConnected } = Deno.errors;
    const one = new Uint8Array(1);
    await near.closeWrite();
    const notWritable = transport === "tls" ? NotConnected : BrokenPipe;
    await assertRejects(() => near.write(one), notWritable);
    const interrupted = assertRejects(() => near.read(one), Interrupted);
    near.close();
    await interrupted;
    await assertRejects(() => near.read(one), BadResource);
    far.close();
  });
}
