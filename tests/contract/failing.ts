import { JoinError } from "@webstreams/join";
import {
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { rejection, took } from "../support/async.ts";
import {
  arrives,
  closedOnce,
  failsByEnd,
  type Joined,
  peerSees,
  PLACEMENTS,
  testJoined,
} from "./joined.ts";
import type { Setup } from "./setup.ts";

const MIB = 1024 * 1024;
const QUIET_MS = 200;
/** An abort must not take as long as the second that a teardown is bounded by. */
const AT_ONCE_MS = 900;

/** A failure of the peer's is told from its end of file, and ends both sides. */
export function resetsAreSeen(setup: Setup): void {
  const { can, resetIs = "reset" } = setup;
  const hello = { bytes: 1234, seed: 1 };

  const idle = async (it: Joined) => {
    const { peer, local } = it;
    const sent = [local.send(hello), peer.send(hello)];
    await Promise.all([arrives(peer, [hello]), arrives(local, [hello]), ...sent]);
    await peer.reset();
    if (can.resetSeen === true) {
      // Which of its two halves tells first is the platform's affair.
      const { direction, side, reason, first, cause } = await failsByEnd(it);
      assertEquals({ reason, first }, { reason: resetIs, first: it.placement.side }, String(cause));
      const readFrom = it.placement.side === "a" ? "aToB" : "bToA";
      assertEquals(side, direction === readFrom ? "read" : "write");
      assertEquals((await local.stats()).ended.how, "reset");
    } else {
      await arrives(local, [hello], { ended: true });
      assertEquals((await local.stats()).ended.how, "eof");
      // Nobody is there any more: how the join ends depends on what is sent.
      it.controller.abort();
      await rejection(it.joined);
    }
    assertEquals([it.counts().out.bytes, it.counts().in.bytes], [hello.bytes, hello.bytes]);
    if (can.resetSeen === true) closedOnce(it);
  };
  testJoined(setup, `a reset while nothing moves ${looksLike(can.resetSeen === true)}`, idle, {
    placements: PLACEMENTS,
  });

  if (can.resetSeen === true) {
    testJoined(setup, "a reset after we have ended", async (it) => {
      await it.local.send(hello);
      await it.local.finish();
      await arrives(it.peer, [hello], { ended: can.halfCloseOut });
      await it.peer.reset();
      const { reason, first, cause } = await failsByEnd(it);
      const other = it.placement.side === "a" ? "b" : "a";
      assertEquals({ reason, first }, { reason: resetIs, first: other }, String(cause));
      assertEquals((await it.local.stats()).ended.how, "reset");
    });
  }

  testJoined(setup, `a reset with unread input ${looksLike(can.resetSeen)}`, async (it) => {
    await it.local.send(hello);
    await it.peer.until({ quiet: QUIET_MS });
    await it.peer.reset();
    // Closing a Unix socket, Deno shuts it down first: an end of file may come before the reset, which
    // the next write has then.
    if (can.resetSeen === "unread") void it.local.send(hello);
    if (can.resetSeen) assertEquals((await failsByEnd(it)).reason, resetIs);
    else assertEquals((await it.local.until({ ended: true })).ended.how, "eof");
    it.controller.abort();
    await it.joined.catch(() => {});
  }, { peer: { paused: true } });

  // Nothing can be asserted of what takes the page along.
  if (can.resetWhileWriting === "crashes") return;
  testJoined(setup, "a reset while a write waits", async (it) => {
    void it.local.send({ bytes: 64 * MIB, seed: 2 });
    await it.local.until({ sent: 1, quiet: QUIET_MS });
    await it.peer.reset();
    const error = await rejection(it.joined);
    assertInstanceOf(error, JoinError);
    assertEquals([error.end, error.reason], [it.placement.side, resetIs], String(error.cause));
    const writeFailed = can.backpressureOut !== false;
    const { ended } = await it.local.until({ ended: true, writeFailed });
    // On a Unix socket the write has the error, and a read before the teardown an end of file.
    if (can.resetSeen !== "unread") assertEquals(ended.how, "reset");
  }, { peer: { paused: true }, placements: PLACEMENTS });
}

function looksLike(failure: unknown): string {
  return failure ? "fails the join" : "looks like an end of file";
}

/** An abort ends everything at once, and looks like one where it can. */
export function abortsAreQuick(setup: Setup): void {
  const { can } = setup;
  const hello = { bytes: 1234, seed: 1 };
  const reason = new Error("enough");

  testJoined(setup, `an abort: the peer sees '${can.abortShows}'`, async (it) => {
    const { peer, local } = it;
    const sent = [local.send(hello), peer.send(hello)];
    await Promise.all([arrives(peer, [hello]), arrives(local, [hello]), ...sent]);
    await aborted(it, reason);
    await peerSees(peer, can.abortShows);
    assertEquals((await local.until({ ended: true })).ended.how, "reset");
    closedOnce(it);
  }, { placements: PLACEMENTS });

  // It ends with a cut, while a write waits.
  const stalled = can.resetWhileWriting === "crashes" ? [] : PLACEMENTS;
  testJoined(setup, "an abort with both sides stalled", async (it) => {
    const { peer, local } = it;
    void local.send({ bytes: 32 * MIB, seed: 2 });
    void peer.send({ bytes: 32 * MIB, seed: 3 });
    await local.until({ sent: 1, quiet: QUIET_MS });
    // Where nothing holds the peer up, too much comes, and that ends the join as well.
    if (can.backpressureIn === false) return void await rejection(it.joined);
    await peer.until({ sent: 1, quiet: QUIET_MS });
    await aborted(it, reason);
  }, {
    placements: stalled,
    peer: { paused: true },
    local: { paused: true },
  });

  testJoined(setup, "an abort after we have ended", async (it) => {
    await it.local.send(hello);
    await it.local.finish();
    await arrives(it.peer, [hello], { ended: can.halfCloseOut });
    await aborted(it, reason);
  });
}

async function aborted({ controller, joined }: Joined, reason: unknown): Promise<void> {
  const ms = await took(async () => {
    controller.abort(reason);
    assertStrictEquals(await rejection(joined), reason);
  });
  assertLess(ms, AT_ONCE_MS);
}

/** The codes that failures come with are kept, or known not to be. */
export function codesPass(setup: Setup): void {
  const { can, name, codeIn, codeOut } = setup;
  if (can.codeIn && !codeIn || can.codeOut && !codeOut) {
    throw new TypeError(`Cannot test the codes of '${name}' without the options for them`);
  }
  if (codeIn) {
    testJoined(setup, `a code that the peer fails with ${kept(can.codeIn)}`, async (it) => {
      await it.peer.reset(codeIn.code);
      const { cause, reason } = await failsByEnd(it);
      const code = codeIn.of(cause);
      assertEquals(reason, setup.resetIs ?? "reset", String(cause));
      if (can.codeIn) assertEquals(code, codeIn.code);
      else assertNotEquals(code, codeIn.code, "the platform keeps it: change its capabilities");
    });
  }
  if (codeOut) {
    testJoined(setup, `a code that we abort with ${kept(can.codeOut)}`, async (it) => {
      await it.peer.send({ bytes: 1 });
      await it.local.until({ received: 1 });
      it.controller.abort(codeOut.reason());
      await rejection(it.joined);
      await peerSees(it.peer, can.abortShows);
      const { code } = (await it.peer.stats()).ended;
      if (can.codeOut) assertEquals(code, codeOut.code);
      else assertNotEquals(code, codeOut.code, "the platform keeps it: change its capabilities");
    });
  }
}

function kept(keeps: boolean): string {
  return keeps ? "is kept" : "is lost";
}
