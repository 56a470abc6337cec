/** WebTransport and QUIC streams of Deno's, and what it cannot do with them yet. */
import { join, JoinError, memoryPair } from "@webstreams/join";
import { fromWebTransport } from "@webstreams/join/webtransport";
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { test } from "../harness.ts";
import { hashOf, PatternStream } from "../support/parcels.ts";
import { dial, listen } from "../peer/client.ts";
import { rejection } from "../support/async.ts";
import { untyped } from "../support/untyped.ts";
import { connect } from "../tools/webtransport_session.ts";
import { accepted, incomingStream, Server } from "../tools/webtransport_server.ts";

const apis = { WebTransport: accepted, QUIC: incomingStream };
type Api = keyof typeof apis;

/** A stream of a Deno server's, and the peer that has opened it. */
async function open(api: Api, paused = false) {
  const server = await Server.start();
  const conn = server.accept();
  const stream = conn.then(apis[api]);
  // If the peer fails to connect, that is the error to tell.
  stream.catch(() => {});
  const peer = await dial("webtransport", server.address, { paused });
  const close = async () => {
    await peer.dispose();
    server.close();
  };
  return { conn: await conn, stream: await stream, peer, close };
}

for (const [api, halfClose] of [["WebTransport", "receive"], ["QUIC", true]] as const) {
  test(`a ${api} stream of a Deno server's is known for what it can send`, async () => {
    const { stream, close } = await open(api);
    const end = fromWebTransport(stream);
    assertEquals([end.halfClose, end.consumesOnWrite], [halfClose, true]);
    await close();
  });

  test(`a ${api} stream of a Deno server's is done with a chunk once its write settles`, async () => {
    const { stream, peer, close } = await open(api, true);
    const writer = stream.writable.getWriter();
    const [chunk, pattern] = [new Uint8Array(65_536), new PatternStream(9)];
    const bytes = 100 * chunk.length;
    setTimeout(() => peer.resume(), 200);
    for (let sent = 0; sent < bytes; sent += chunk.length) {
      chunk.set(pattern.next(chunk.length));
      await writer.write(chunk);
      chunk.fill(0);
    }
    const { hash } = await peer.until({ received: bytes });
    assertEquals(hash, hashOf({ bytes, seed: 9 }));
    await close();
  });

  test(`a failed join of a ${api} stream closes the session it was given`, async () => {
    const { conn, stream, peer, close } = await open(api);
    const controller = new AbortController();
    const end = fromWebTransport(stream, { session: conn });
    const joined = join(end, memoryPair()[0], { signal: controller.signal });
    await peer.send({ bytes: 1 });
    const reason = Object.assign(new Error("mine"), { streamErrorCode: 9 });
    controller.abort(reason);
    assertEquals(await rejection(joined), reason);
    const { ended } = await peer.until({ ended: true });
    assertEquals(ended, { how: "closed", code: 9, reason: "" });
    await close();
  });
}

test("the reply to a page that has half-closed is not lost on a Deno server", async () => {
  const { stream, peer, close } = await open("WebTransport");
  const [user, end] = memoryPair();
  const joined = join(fromWebTransport(stream), end);
  await peer.send({ bytes: 10 });
  await peer.finish();
  assertEquals((await new Response(user.readable).arrayBuffer()).byteLength, 10);
  await new Blob(["the reply"]).stream().pipeTo(user.writable);
  const { aToB, bToA, ended } = await joined;
  assertEquals([aToB.bytes, bToA.bytes, ended], [10, 9, "eof"]);
  await peer.until({ received: 9 });
  await close();
});

test("the code of a reset shows on Deno as text alone", async () => {
  const { stream, peer, close } = await open("QUIC");
  const failed = rejection(join(fromWebTransport(stream), memoryPair()[0]));
  await peer.reset(9);
  const error = await failed;
  assertInstanceOf(error, JoinError);
  assertInstanceOf(error.cause, Deno.errors.ConnectionReset);
  // As HTTP/3 carries the code of a WebTransport stream.
  assertEquals(error.cause.message, `stream reset by peer: error ${0x52e4a40fa8db + 9}`);
  await close();
});

test("fromWebTransport refuses Deno's session, connection, one-way stream and TCP", async () => {
  const peer = await listen("webtransport");
  const session = await connect(peer.address);
  const oneWay = await session.createUnidirectionalStream();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const tcp = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  for (const given of [session, oneWay, session.datagrams, tcp]) {
    assertThrows(() => fromWebTransport(untyped(given)), TypeError, "got an object (");
  }
  tcp.close();
  listener.close();
  session.close();
  await peer.dispose();
});
