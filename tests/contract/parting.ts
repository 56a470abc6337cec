import { JoinError } from "@webstreams/join";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { rejection } from "../support/async.ts";
import { arrives, type Joined, PLACEMENTS, testJoined } from "./joined.ts";
import type { Setup } from "./setup.ts";

const MIB = 1024 * 1024;
const QUIET_MS = 200;

/** What the peer has said is delivered although it takes no more of what we say. */
export function lastWordsArrive(setup: Setup): void {
  const { can } = setup;
  if (!can.lastWords || can.resetWhileWriting === "crashes") return;
  // More than is on its way to the reader by the time, and less than what a connection holds.
  const answer = { bytes: 150_000, seed: 2 };

  /** It answers early, and goes while we still write. */
  const answers = async ({ peer, local }: Joined, finish: boolean) => {
    void local.send({ bytes: 64 * MIB, seed: 1 });
    await local.until({ sent: 1, quiet: QUIET_MS });
    await peer.send(answer);
    if (finish) await peer.finish();
    await peer.until({ quiet: QUIET_MS });
    await peer.reset();
    // Nobody has taken it when the write fails.
    await local.until({ quiet: QUIET_MS });
    await local.resume();
  };
  const options = {
    peer: { paused: true },
    local: { paused: true },
    placements: PLACEMENTS,
  } as const;

  testJoined(setup, "a reset while a write waits: the peer's last words arrive", async (it) => {
    await answers(it, false);
    await arrives(it.local, [answer]);
    const error = await rejection(it.joined);
    assertInstanceOf(error, JoinError);
    assertEquals([error.end, it.counts().in.bytes], [it.placement.side, answer.bytes]);
  }, options);

  if (!can.halfCloseIn) return;
  testJoined(setup, "... and its end of file behind its last words", async (it) => {
    await answers(it, true);
    await arrives(it.local, [answer], { ended: true });
    // A Unix socket tells of the reset as well, and after that no end of file is taken for one.
    if (can.resetSeen === true) assertEquals((await it.local.stats()).ended.how, "eof");
    assertEquals(it.counts().in.bytes, answer.bytes);
    it.controller.abort();
    assertInstanceOf(await rejection(it.joined), Error);
  }, options);
}
