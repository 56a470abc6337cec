import { join, memoryPair } from "@webstreams/join";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { test } from "../harness.ts";
import { FarEnd } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import { rejection } from "../support/async.ts";
import {
  arrives,
  closedOnce,
  failsByEnd,
  finishes,
  finishShows,
  forEnd,
  peerSees,
  PLACEMENTS,
  resumeStalled,
  testJoined,
} from "./joined.ts";
import type { Setup } from "./setup.ts";

const MIB = 1024 * 1024;
/** How long something that must not happen is waited for. */
const QUIET_MS = 150;

/** Each direction ends by itself, where it can, and after all that came before. */
export function directionsEnd(setup: Setup): void {
  const { can } = setup;
  const question = { bytes: 1234, seed: 1 };
  const answer = { bytes: 100_000, seed: 2 };

  const outEnds = can.halfCloseOut ? "the peer sees it" : "the peer cannot see it";
  testJoined(setup, `we end first: ${outEnds}, its answer comes`, async (it) => {
    const { peer, local } = it;
    await local.send(question);
    await local.finish();
    await arrives(peer, [question], can.halfCloseOut ? { ended: true } : { quiet: QUIET_MS });
    const { how } = (await peer.stats()).ended;
    assertEquals(how, can.halfCloseOut ? "eof" : "open");
    await peer.send(answer);
    await arrives(local, [answer]);
    await peer.finish();
    assertEquals((await local.until({ ended: true })).ended.how, "eof");
    assertEquals((await it.joined).ended, "eof");
    await peerSees(peer, finishShows(setup));
  }, { placements: PLACEMENTS });

  const inEnds = can.halfCloseIn ? "what we send still arrives" : "what we send is dropped";
  testJoined(setup, `the peer ends first: ${inEnds}`, async (it) => {
    const { peer, local } = it;
    await peer.send(question);
    await peer.finish();
    await arrives(local, [question], { ended: true });
    assertEquals((await local.stats()).ended.how, "eof");
    await local.send(answer);
    await local.finish();
    assertEquals((await it.joined).ended, "eof");
    await peerSees(peer, finishShows(setup));
    await arrives(peer, can.halfCloseIn ? [answer] : []);
    assertEquals(it.counts().out.bytes, can.halfCloseIn ? answer.bytes : 0);
  }, { placements: PLACEMENTS });

  const much = { bytes: 32 * MIB, seed: 5 };
  for (const first of [0, answer.bytes]) {
    const before = first === 0 ? "nothing" : "its answer";
    const fails = first === 0 && can.halfCloseInWhileWriting === "fails";
    const outcome = fails ? "it fails" : can.halfCloseIn ? "all of it arrives" : "it is dropped";
    const title = `the peer ends in our large write, after ${before}: ${outcome}`;
    testJoined(setup, title, async (it) => {
      const { peer, local } = it;
      const sending = local.send(much);
      await local.until({ sent: 1, quiet: QUIET_MS });
      if (first) await peer.send(answer);
      await peer.finish();
      if (fails) return void await failsByEnd(it);
      // The end of a WebSocket comes behind what waits in it.
      if (!can.halfCloseIn) await peer.resume();
      await arrives(local, first ? [answer] : [], { ended: true });
      assertEquals((await local.stats()).ended.how, "eof");
      const parcels = await resumeStalled(local, peer, much, sending);
      if (can.halfCloseIn) await arrives(peer, parcels);
      await local.finish();
      assertEquals((await it.joined).ended, "eof");
      if (can.halfCloseIn) assertEquals(it.counts().out.bytes, (await local.stats()).sent);
    }, { placements: PLACEMENTS, peer: { paused: true } });
  }

  testJoined(setup, "both end at the same time", async (it) => {
    const sent = [it.local.send(question), it.peer.send(answer)];
    await Promise.all([arrives(it.peer, [question]), arrives(it.local, [answer]), ...sent]);
    await finishes(it);
    assertEquals((await it.local.until({ ended: true })).ended.how, "eof");
    await peerSees(it.peer, finishShows(setup));
    closedOnce(it);
  }, { placements: PLACEMENTS });

  testJoined(setup, "nothing is lost that comes right before an end of file", async (it) => {
    const { peer, local } = it;
    // Enough for the platform to hold some of it back.
    const much = { bytes: 8 * MIB + 1, seed: 3 };
    const sent = peer.send(much);
    const finished = peer.finish();
    await peer.until({ quiet: QUIET_MS });
    await local.resume();
    await arrives(local, [much], { ended: true });
    assertEquals((await local.stats()).ended.how, "eof");
    await local.finish();
    await Promise.all([it.joined, sent, finished]);
  }, { placements: PLACEMENTS, local: { paused: true } });

  testJoined(setup, "nor that we send right before ours, to a peer that reads late", async (it) => {
    const { peer, local } = it;
    const much = { bytes: MIB + 1, seed: 4 };
    const sent = local.send(much);
    const finished = local.finish();
    await local.until({ quiet: QUIET_MS });
    await peer.resume();
    await arrives(peer, [much], { ended: can.halfCloseOut });
    await peer.finish();
    await Promise.all([it.joined, sent, finished]);
    await peerSees(peer, finishShows(setup));
  }, { placements: PLACEMENTS, peer: { paused: true } });

  test(`${setup.name}: refuses to be joined twice, and fails once it is over`, {
    timeout: 10_000,
  }, async () => {
    const { end, peer, dispose } = await setup.open({});
    const [here, there] = memoryPair();
    const local = new FarEnd(new PairWire(there));
    const joined = join(end, forEnd(end, here));
    try {
      if (can.streams) {
        // Go-style ends have no locks: Go's own rule, one reader and one writer, is the caller's there.
        assertInstanceOf(await rejection(join(end, forEnd(end, memoryPair()[0]))), TypeError);
      }
      await Promise.all([local.finish(), peer.finish()]);
      await joined;
      const [again, other] = memoryPair();
      const late = new FarEnd(new PairWire(other));
      void late.send({ bytes: 1 });
      void late.finish();
      const error = await join(forEnd(end, again), end).then(
        () => undefined,
        (error: unknown) => error,
      );
      await late.dispose();
      // An end that cannot say that it has finished has not.
      if (finishShows(setup) === "open") return;
      assert(error instanceof Error && error.message !== "", `fails with ${error}`);
    } finally {
      await peer.dispose();
      await local.dispose();
      await joined.catch(() => {});
      await dispose?.();
    }
  });
}
