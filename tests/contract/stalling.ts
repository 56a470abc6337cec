import { JoinError } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertLessOrEqual } from "@std/assert";
import { rejection } from "../support/async.ts";
import { arrives, finishes, PLACEMENTS, resumeStalled, testJoined } from "./joined.ts";
import type { Setup } from "./setup.ts";

const MIB = 1024 * 1024;
const QUIET_MS = 300;

/** Whoever does not read stops the other, and nothing is lost of what waits. */
export function stallsAreFelt(setup: Setup): void {
  const { backpressureIn, backpressureOut } = setup.can;
  const size = (bound: number | false) => bound ? bound + 8 * MIB : 32 * MIB;

  const outSize = size(backpressureOut);
  const limited = backpressureOut === false ? "is not" : "is";
  testJoined(setup, `a peer that does not read ${limited} felt`, async (it) => {
    const { peer, local } = it;
    const much = { bytes: outSize, seed: 1 };
    const sending = local.send(much);
    const { sent } = await local.until({ sent: 1, quiet: QUIET_MS });
    if (backpressureOut === false) {
      assertEquals(sent, outSize, "the platform has learnt to wait: change its capabilities");
    } else {
      assertLessOrEqual(sent, backpressureOut);
    }
    await arrives(peer, await resumeStalled(local, peer, much, sending));
    await finishes(it);
  }, { peer: { paused: true }, placements: PLACEMENTS });

  const inSize = size(backpressureIn);
  const much = { bytes: inSize, seed: 2 };
  if (backpressureIn === false) {
    testJoined(setup, "a peer that sends more than we read fails the join", async (it) => {
      void it.peer.send(much);
      const error = await rejection(it.joined);
      assertInstanceOf(error, JoinError);
      assertEquals([error.end, error.side], [it.placement.side, "read"]);
      await it.local.resume();
      assertEquals((await it.local.until({ ended: true })).ended.how, "reset");
    }, { local: { paused: true } });
    return;
  }
  testJoined(setup, "a peer that sends more than we read has to wait", async (it) => {
    const { peer, local } = it;
    const sending = peer.send(much);
    const { sent } = await peer.until({ sent: 1, quiet: QUIET_MS });
    assertLessOrEqual(sent, backpressureIn);
    await arrives(local, await resumeStalled(peer, local, much, sending));
    await finishes(it);
  }, { local: { paused: true }, placements: PLACEMENTS });
}
