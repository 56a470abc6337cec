/**
 * Data channels of the `werift` package. It moves 1 MB a second. It runs on Deno, too, but leaves timers behind
 * there which the test runner takes for leaks.
 */
// @ts-types="../../recipes/werift.d.ts"
import { RTCPeerConnection } from "werift";
import { join, memoryPair } from "@webstreams/join";
import { fromDataChannel } from "@webstreams/join/webrtc";
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { type Runtime, test } from "../../harness.ts";
import { hashOf } from "../../support/parcels.ts";
import { FarEnd } from "../../peer/far_end.ts";
import { PairWire } from "../../peer/wires/memory.ts";
import { lateReplies } from "../../recipes/peers.ts";
import { joinError } from "../../support/errors.ts";
import { channelTo } from "../../support/webrtc.ts";
import { connectNodeSocket } from "@webstreams/join/node";
import { connect } from "node:net";

const on: readonly Runtime[] = ["node", "bun"];
const KIB = 1024;

// Loopback is left out otherwise.
const ofWerift = () =>
  new RTCPeerConnection({ iceServers: [], iceAdditionalHostAddresses: ["127.0.0.1"] });

/** Two joined ends, and what is at their other sides. */
function joinedChannels() {
  const [[a, near], [b, far]] = [memoryPair(), memoryPair()];
  const controller = new AbortController();
  const channels = channelTo((there) => join(fromDataChannel(there), b), ofWerift);
  const first = join(fromDataChannel(channels.here), a, { signal: controller.signal });
  const ends = [new FarEnd(new PairWire(near)), new FarEnd(new PairWire(far))];
  const close = async () => {
    await Promise.all(ends.map((end) => end.dispose()));
    await channels.close();
  };
  return { ...channels, first, second: channels.accepted, ends, controller, close };
}

test("werift: bytes both ways, and each connection is closed once its join has settled", {
  on,
}, async () => {
  const { first, second, ends: [near, far], connections, close } = joinedChannels();
  const [there, back] = [{ bytes: 300 * KIB + 1, seed: 1 }, { bytes: 200 * KIB + 1, seed: 2 }];
  await Promise.all([
    ...[first, second].map((joined, at) => joined.then(() => connections[at].close())),
    near.send(there).then(() => near.finish()),
    far.send(back).then(() => far.finish()),
  ]);
  const [came, arrived] = [await near.until({ ended: true }), await far.until({ ended: true })];
  assertEquals([came.ended.how, arrived.ended.how], ["eof", "eof"]);
  assertEquals([arrived.hash, came.hash], [hashOf(there), hashOf(back)]);
  await close();
});

test("werift: a half-close goes through to TCP, and the reply comes back", { on }, async () => {
  await using server = lateReplies();
  const port = await server.port();
  const { here, accepted, close } = channelTo((there) => {
    const upstream = connectNodeSocket(connect, { host: "127.0.0.1", port });
    return join(fromDataChannel(there), upstream);
  }, ofWerift);
  const [end, other] = memoryPair();
  const joined = join(fromDataChannel(here), end);
  const writer = other.writable.getWriter();
  await writer.write(new TextEncoder().encode("question"));
  await writer.close();
  assertEquals(await new Response(other.readable).text(), "got question");
  const { aToB, bToA } = await joined;
  assertEquals([aToB.bytes, bToA.bytes], [12, 8]);
  assertEquals((await accepted).ended, "eof");
  await close();
});

test("werift: an abort is a failure to the peer", { on }, async () => {
  const { first, second, ends: [near, far], controller, close } = joinedChannels();
  first.catch(() => {});
  await near.send({ bytes: 1000 });
  await far.until({ received: 1000 });
  const failed = second.then(() => undefined, (error) => error);
  controller.abort();
  const { end, reason } = await failed;
  assertEquals([end, reason], ["a", "reset"]);
  await close();
});

test("werift: who does not read stops its peer", { on }, async () => {
  const { here, accepted, close } = channelTo(
    (there) => fromDataChannel(there, { maxBuffered: 64 * KIB }),
    ofWerift,
  );
  const [near, other] = memoryPair();
  const local = new FarEnd(new PairWire(other));
  const joined = joinError(join(fromDataChannel(here), near));
  local.send({ bytes: 1024 * KIB }).catch(() => {});
  const end = await accepted;
  // What is in the pair, and a chunk of the join's, are taken as well.
  const { sent } = await local.until({ sent: 64 * KIB, quiet: 500 });
  assertLessOrEqual(sent, (64 + 64 + 64 + 64) * KIB);
  end.close?.(new Error("enough"));
  assertEquals((await joined).reason, "reset");
  await local.dispose();
  await close();
});
