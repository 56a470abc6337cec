import { assert, assertEquals } from "@std/assert";
import { arrives, finishShows, peerSees, testJoined } from "./joined.ts";
import type { Setup } from "./setup.ts";

const MIB = 1024 * 1024;

/** A graceful stop in the middle: what had been read arrives whole, and then an end of file. */
export function drainsAreGraceful(setup: Setup): void {
  const { can } = setup;
  // At that rate, what is sent takes two seconds.
  const rate = 8 * MIB;
  const there = { bytes: 16 * MIB, seed: 5 };
  const back = { bytes: 16 * MIB, seed: 6 };

  testJoined(setup, "a drain while both send", async (it) => {
    const { peer, local } = it;
    // What is still sent to an end that cannot half-close fails, or is never told of.
    for (const sent of [local.send(there), peer.send(back)]) sent.catch(() => {});
    await Promise.all([peer.until({ received: 1 }), local.until({ received: 1 })]);
    it.drain();
    // The end of a peer that cannot half-close would be that of all.
    const finished = can.halfCloseIn ? [local.finish(), peer.finish()] : [local.finish()];
    for (const each of finished) each.catch(() => {});
    const { ended, reason, first } = await it.joined;
    assertEquals({ ended, reason, first }, { ended: "eof", reason: "drained", first: undefined });
    const { out, in: came } = it.counts();
    assert(out.bytes < there.bytes && came.bytes < back.bytes, "nothing was left to drop");
    await peerSees(peer, finishShows(setup));
    await arrives(peer, [{ ...there, bytes: out.bytes }]);
    await arrives(local, [{ ...back, bytes: came.bytes }], { ended: true });
    assertEquals((await local.stats()).ended.how, "eof");
  }, {
    placements: [{ via: "auto", side: "a" }, { via: "pipeTo", side: "b" }],
    drains: true,
    rate,
  });
}
