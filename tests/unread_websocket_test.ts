/** An unread end, or a layered one, of a real WebSocket: its clean close is an end of file, and no failure. */
import {
  type Conn,
  join,
  type JoinResult,
  memoryPair,
  type Pair,
  through,
  unread,
} from "@webstreams/join";
import { fromWebSocket } from "@webstreams/join/websocket";
import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { type Runtime, test } from "./harness.ts";
import { Fingerprint, hashOf } from "./support/parcels.ts";
import { dial, listen, type RemoteFar } from "./peer/client.ts";
import { delay, rejection } from "./support/async.ts";
import { bytes } from "./support/bytes.ts";
import { almostBulk, openedWebSocket, serveWebSocket } from "./support/websocket.ts";

type Bytes = Uint8Array<ArrayBuffer>;
const parcel = { bytes: 5_000_000, seed: 9, chunk: 50_000 };
const HEAD = "head";

/** A WebSocket's end, and who is at the other side of it. */
interface Opened {
  readonly end: Pair;
  readonly peer: RemoteFar;
  close(): Promise<void>;
}

/** The ways to one that there are. */
const ways: readonly [string, readonly Runtime[] | undefined, () => Promise<Opened>][] = [
  ["client", undefined, openClient],
  ["server", ["deno", "bun"], openServer],
];

async function openClient(): Promise<Opened> {
  const peer = await listen("websocket");
  let socket!: WebSocket;
  // Open: a join whose timeout is over before that would cut it off.
  const end = await openedWebSocket(peer.address.url, (opening) => {
    socket = opening;
    return fromWebSocket(opening, almostBulk);
  });
  const close = async () => {
    await peer.dispose();
    while (socket.readyState !== WebSocket.CLOSED) await delay(5);
  };
  return { end, peer, close };
}

async function openServer(): Promise<Opened> {
  const server = serveWebSocket((socket) => fromWebSocket(socket, almostBulk));
  const peer = await dial("websocket", { url: server.url });
  const close = async () => {
    await peer.dispose();
    await server.close();
  };
  return { end: await server.accepted, peer, close };
}

interface Relayed {
  readonly result: JoinResult;
  /** What the target has got, up to a clean end of file. */
  readonly length: number;
  readonly hash: string;
}

/** The peer sends the parcel and closes; the target reads all, answers, and ends. */
async function relay(end: Pair | Conn, peer: RemoteFar, skipped: number): Promise<Relayed> {
  const [here, target] = memoryPair();
  const joined = join(end, here);
  // So that a failure is told by what fails first.
  joined.catch(() => {});
  const sent = peer.send(parcel).then(() => peer.close(1000));
  const received = new Fingerprint();
  let length = 0;
  await target.readable.pipeTo(
    new WritableStream<Bytes>({
      write(chunk) {
        const rest = chunk.subarray(Math.min(chunk.length, Math.max(0, skipped - length)));
        if (rest.length > 0) received.update(rest);
        length += chunk.length;
      },
    }),
  );
  await sent;
  const writer = target.writable.getWriter();
  await writer.write(bytes("too late"));
  await writer.close();
  return { result: await joined, length, hash: received.hash };
}

const shift = (by: number) =>
  new TransformStream<Bytes, Bytes>({
    transform: (chunk, controller) => controller.enqueue(chunk.map((byte) => byte + by)),
  });

/** What is made of the end, and how many bytes that puts in front. */
const ENDS: readonly [string, number, (end: Pair, peer: RemoteFar) => Pair | Promise<Pair>][] = [
  ["unread", HEAD.length, (end) => unread(end, bytes(HEAD))],
  ["unread twice", HEAD.length, (end) => unread(unread(end, bytes("ad")), bytes("he"))],
  ["unread, of what was read of its stream", HEAD.length, async (end, peer) => {
    await peer.send({ bytes: HEAD.length });
    const reader = end.readable.getReader();
    const { value } = await reader.read();
    assertEquals(value?.length, HEAD.length);
    reader.releaseLock();
    return unread(end, value!);
  }],
  ["layered", 0, (end) => through(end, shift(1), shift(0))],
  [
    "unread and layered",
    HEAD.length,
    (end) => through(unread(end, bytes(HEAD)), shift(1), shift(0)),
  ],
];

if ("WebSocket" in globalThis) {
  for (const [way, on, open] of ways) {
    for (const [name, more, make] of ENDS) {
      test(`WebSocket, ${way}, ${name}: closed with 1000 is an end of file`, { on }, async () => {
        const { end, peer, close } = await open();
        const { result, length, hash } = await relay(await make(end, peer), peer, more);
        assertEquals(result.ended, "eof");
        assertEquals([result.aToB.bytes, length], [parcel.bytes + more, parcel.bytes + more]);
        assertEquals([result.bToA.bytes, hash], [0, hashOf(parcel)]);
        await close();
      });
    }

    test(`WebSocket, ${way}, unread: it is locked, and closed by the join`, { on }, async () => {
      const { end, peer, close } = await open();
      const whole = unread(end, bytes(HEAD));
      const error = await rejection(join(end, memoryPair()[0]));
      assertInstanceOf(error, TypeError);
      assertStringIncludes(error.message, "must not be locked");
      const [here, target] = memoryPair();
      const joined = join(whole, here, { halfCloseTimeout: 100 });
      await target.writable.close();
      assertEquals(await new Response(target.readable).text(), HEAD);
      assertEquals((await peer.until({ ended: true })).ended.code, 1000);
      const { aToB, ended } = await joined;
      assertEquals([aToB.bytes, ended], [HEAD.length, "timeout"]);
      await close();
    });

    test(`WebSocket, ${way}, unread: its streams, for who asks for them`, { on }, async () => {
      const { end, peer, close } = await open();
      const whole = unread(end, bytes(HEAD));
      const writer = whole.writable.getWriter();
      await writer.write(bytes("hello"));
      await peer.until({ received: 5 });
      await peer.send({ bytes: 10 });
      await peer.close(1000);
      const read = new Uint8Array(await new Response(whole.readable).arrayBuffer());
      assertEquals([read.length, new TextDecoder().decode(read.subarray(0, 4))], [14, HEAD]);
      await rejection(writer.closed);
      await close();
    });
  }
}
