/**
 * What a peer gets has been counted, also of a write that is taken in part and then fails or is broken off.
 *
 * @module
 */
import { connect } from "node:net";
import { duplex, type End, join, type JoinStats } from "@webstreams/join";
import { fromBunSocket, handlers } from "@webstreams/join/bun";
import { fromNodeSocket } from "@webstreams/join/node";
import { assert, assertEquals, assertInstanceOf, assertLessOrEqual } from "@std/assert";
import { type Runtime, test } from "../../harness.ts";
import { listen, type RemoteFar } from "../../peer/client.ts";
import { rejection } from "../../support/async.ts";
import { bun } from "../bun/runtime.ts";

const MIB = 1024 * 1024;
const QUIET_MS = 200;
const hostname = "127.0.0.1";
const allowHalfOpen = true;

/** Connects one of each kind. */
const kinds: Readonly<
  Record<string, [on: readonly Runtime[], connect: (port: number) => unknown]>
> = {
  "a Bun socket": [
    ["bun"],
    async (port) =>
      fromBunSocket(await bun.connect({ hostname, port, allowHalfOpen, socket: handlers })),
  ],
  "a Node socket": [
    ["deno", "node", "bun"],
    (port) => fromNodeSocket(connect({ host: hostname, port, allowHalfOpen })),
  ],
  "a Deno conn": [["deno"], (port) => Deno.connect({ hostname, port })],
};

/** One chunk that is far more than a kernel takes. */
function huge(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(64 * MIB)),
  });
}

interface Stuck {
  readonly peer: RemoteFar;
  readonly joined: Promise<unknown>;
  readonly controller: AbortController;
  readonly counts: () => number;
}

/** A join that is stuck in a write, of which the peer has got something. */
function testStuck(name: string, body: (it: Stuck) => Promise<void>): void {
  for (const [kind, [on, open]] of Object.entries(kinds)) {
    for (const via of ["auto", "streams"]) {
      if (via === "streams" && kind === "a Deno conn") continue;
      test(`${kind}: ${name} (${via})`, { on }, async () => {
        const peer = await listen("tcp", { paused: true });
        const end = await open(peer.address.port) as End;
        if (via === "streams" && "readable" in end) void [end.readable, end.writable];
        const controller = new AbortController();
        const stats: Partial<JoinStats> = {};
        const { signal } = controller;
        const joined = join(duplex(huge(), new WritableStream()), end, { signal, stats });
        joined.catch(() => {});
        try {
          await peer.until({ quiet: QUIET_MS });
          await peer.resume();
          await peer.until({ received: 1 });
          await peer.pause();
          await body({ peer, joined, controller, counts: () => stats.aToB!.bytes });
        } finally {
          controller.abort();
          await peer.dispose();
          await joined.catch(() => {});
        }
      });
    }
  }
}

testStuck("what came before a reset is counted", async ({ peer, joined, counts }) => {
  await peer.reset();
  assertInstanceOf(await rejection(joined), Error);
  const { received } = await peer.stats();
  assert(received > 0);
  assertLessOrEqual(received, counts());
});

testStuck("what came before an abort is counted", async ({ peer, joined, controller, counts }) => {
  controller.abort("enough");
  assertEquals(await rejection(joined), "enough");
  await peer.resume();
  const { received } = await peer.until({ ended: true });
  assert(received > 0);
  assertLessOrEqual(received, counts());
});

test("a Node socket: what never got a connection is not counted", {
  on: ["deno", "node", "bun"],
}, async () => {
  const peer = await listen("tcp");
  await peer.dispose();
  const end = fromNodeSocket(connect({ host: hostname, port: peer.address.port }));
  const stats: Partial<JoinStats> = {};
  await rejection(join(duplex(huge(), new WritableStream()), end, { stats }));
  assertEquals(stats.aToB!.bytes, 0);
});
