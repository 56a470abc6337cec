import { assert, assertEquals } from "@std/assert";
import { join, memoryPair, type Pair } from "@webstreams/join";
import { test } from "../harness.ts";
import { FarEnd } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import { Fingerprint, hashOf, type Parcel, PatternStream } from "../support/parcels.ts";
import { halfCloseOf, isConn } from "../../src/check/kinds.ts";
import { bytes } from "../support/bytes.ts";
import { untyped } from "../support/untyped.ts";
import { arrives, finishShows, forEnd, peerSees } from "./joined.ts";
import type { Connected, Setup } from "./setup.ts";

const MIB = 1024 * 1024;
const QUIET_MS = 150;

/** The end by itself: what anybody may do with it, without `join`. */
export function streamsWork(setup: Setup): void {
  const { can } = setup;

  testEnd(setup, "is what it says it is", async ({ end, peer }) => {
    assertEquals(isConn(end), !can.streams);
    assertEquals(halfCloseOf(end) === true, can.halfCloseOut, "it says that it half-closes");
    assertEquals(halfCloseOf(end) === false, !can.halfCloseIn, "it says that its end is whole");
    await peer.reset();
    await ended(end);
  });
  if (!can.streams) return;

  testPair(setup, "native pipeTo, both ways at once", async ({ readable, writable }, { peer }) => {
    const there = { bytes: 4 * MIB + 1, seed: 1 };
    const back = { bytes: 3 * MIB + 1, seed: 2 };
    const came = new Fingerprint();
    const writing = streamOf(there).pipeTo(writable, { preventClose: true });
    const reading = readable.pipeTo(new WritableStream({ write: (chunk) => came.update(chunk) }));
    await Promise.all([peer.send(back), writing, arrives(peer, [there])]);
    await peer.finish();
    await reading;
    assertEquals(came.hash, hashOf(back));
    // Where the peer's end was the end of all, it is closed already.
    await writable.close().catch((error) => assert(!can.halfCloseIn, error));
    await peerSees(peer, finishShows(setup));
  });

  testPair(setup, "getReader() and getWriter()", async ({ readable, writable }, { peer }) => {
    const reader = readable.getReader();
    const writer = writable.getWriter();
    await writer.write(bytes("hello"));
    await peer.until({ received: 5 });
    await peer.send({ bytes: 1000, seed: 3 });
    const came = new Fingerprint();
    while (came.bytes < 1000) came.update((await reader.read()).value!);
    assertEquals(came.hash, hashOf({ bytes: 1000, seed: 3 }));
    await peer.finish();
    assertEquals((await reader.read()).done, true);
    await reader.closed;
    await writer.close().catch((error) => assert(!can.halfCloseIn, error));
    await peerSees(peer, finishShows(setup));
  });

  const learnt = can.halfCloseOut ? "the reply comes" : "there is no reply";
  testPair(
    setup,
    `close() of its writable: ${learnt}`,
    async ({ readable, writable }, { peer }) => {
      const writer = writable.getWriter();
      await writer.write(bytes("question"));
      await peer.until({ received: 8 });
      void writer.close().catch(() => {});
      const { ended } = await peer.until(can.halfCloseOut ? { ended: true } : { quiet: QUIET_MS });
      const answered = peer.send({ bytes: 10, seed: 4 }).then(() => true, () => false);
      void peer.finish();
      let length = 0;
      const count = new WritableStream<Uint8Array>({
        write: (chunk) => void (length += chunk.length),
      });
      // A Response would refuse a stream that has been read from, as below WebTransport on Deno.
      const answer = readable.pipeTo(count).then(() => length, () => 0);
      const replied = ended.how === "eof" && await answered && await answer === 10;
      assertEquals(replied, can.halfCloseOut, "its half-close is not what its capabilities say");
    },
  );

  testPair(setup, "a join that leaves it open leaves what comes then", async (end, { peer }) => {
    const [here, there] = memoryPair();
    const local = new FarEnd(new PairWire(there));
    // As a whole: when it has ended, nobody takes what our end still sends.
    const whole = forEnd(end, { ...here, halfClose: false });
    const joined = join(end, whole, { preventClose: { a: true }, halfCloseTimeout: 50 });
    await peer.send({ bytes: 1000, seed: 5 });
    await local.until({ received: 1000 });
    await local.finish();
    const { ended, aToB } = await joined;
    assertEquals([ended, aToB.bytes], [can.halfCloseIn ? "timeout" : "eof", 1000]);
    if (can.unlocksInRead === false) return assertEquals(end.readable.locked, true);
    await peer.send({ bytes: 2000, seed: 6 });
    await peer.until({ quiet: QUIET_MS });
    const reader = end.readable.getReader();
    const came = new Fingerprint();
    while (came.bytes < 2000) came.update((await reader.read()).value!);
    assertEquals(came.hash, hashOf({ bytes: 2000, seed: 6 }));
    await Promise.allSettled([reader.cancel(), end.writable.abort(), local.dispose()]);
  });

  testPair(setup, "cancel() and abort()", async ({ readable, writable }, { peer }) => {
    await peer.send({ bytes: 10 });
    const reason = new Error("enough");
    await Promise.all([readable.cancel(reason), writable.abort(reason)]);
    // It may take the session to show it.
    if (can.abortShows === "reset" || can.abortShows === "eof") await peerSees(peer);
  });

  testPair(
    setup,
    `a BYOB reader is ${can.byob ? "given" : "refused"}`,
    async ({ readable, writable }, { peer }) => {
      let reader: ReadableStreamBYOBReader | undefined;
      try {
        reader = readable.getReader({ mode: "byob" });
      } catch {
        // There is none.
      }
      assertEquals(reader !== undefined, can.byob);
      if (reader) {
        await peer.send({ bytes: 10 });
        const { value } = await reader.read(new Uint8Array(100));
        assertEquals(value?.length, 10);
        reader.releaseLock();
      }
      await Promise.allSettled([readable.cancel(), writable.abort()]);
    },
  );

  testPair(
    setup,
    "a chunk that is no bytes is refused",
    async ({ readable, writable }, { peer }) => {
      // It is connected: the peer would wait long for one that gives up before.
      await peer.stats();
      const writer = writable.getWriter();
      const refused = await writer.write(untyped(1)).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert(refused instanceof TypeError, `got ${refused}`);
      await Promise.allSettled([readable.cancel(), writer.abort(), peer.reset()]);
    },
  );
}

function testPair(
  setup: Setup,
  name: string,
  body: (end: Pair, connected: Connected) => Promise<void>,
): void {
  testEnd(setup, name, async (connected) => {
    const { end } = connected;
    assert("readable" in end);
    await body(end, connected);
  });
}

function testEnd(setup: Setup, name: string, body: (it: Connected) => Promise<void>): void {
  test(`${setup.name}: ${name}`, { timeout: setup.timeout }, async () => {
    const connected = await setup.open({});
    try {
      await body(connected);
    } finally {
      await connected.peer.dispose();
      await ended(connected.end);
      await connected.dispose?.();
    }
  });
}

/** Whatever state it is in. */
async function ended(end: Connected["end"]): Promise<void> {
  const halves = isConn(end) ? [] : [
    () => end.readable.locked || end.readable.cancel(),
    () => end.writable.locked || end.writable.abort(),
  ];
  // What it says to being ended twice is not the point.
  await Promise.allSettled([...halves, () => end.close?.()].map(async (half) => await half()));
}

function streamOf({ bytes, seed = 1 }: Parcel): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pattern = new PatternStream(seed);
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const part = pattern.next(Math.min(left, 64 * 1024));
      left -= part.length;
      controller.enqueue(part);
    },
  });
}
