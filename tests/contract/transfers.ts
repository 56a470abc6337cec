import { LimitError } from "@webstreams/join";
import { assertEquals, assertInstanceOf } from "@std/assert";
import type { Sending } from "../peer/far_end.ts";
import { rejection } from "../support/async.ts";
import { arrives, finishes, type Joined, MAIN, PLACEMENTS, testJoined } from "./joined.ts";
import type { Setup } from "./setup.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** QUIC to a far side in JavaScript moves some 20 MB/s. */
const TRANSFER_MS = 50_000;
const SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, MIB];

/** What comes out is what went in, and the counts say so. */
export function bytesArrive(setup: Setup): void {
  const { bulk = 32 * MIB } = setup;

  for (const size of SIZES) {
    const placements = size === MIB ? PLACEMENTS : MAIN;
    const exchanged = (it: Joined) =>
      exchange(it, { bytes: size, seed: 1 }, { bytes: size, seed: 2 });
    testJoined(setup, `${size} bytes each way at once`, exchanged, { placements });
  }
  const ways = [[1 / 4, 0], [0, 1 / 4], [1, 1]];
  for (const [out, back] of bulk >= 16 * MIB ? ways : ways.slice(2)) {
    const parcels = [{ bytes: out * bulk, seed: 3 }, { bytes: back * bulk, seed: 4 }] as const;
    const title = `${out * bulk / MIB} MiB out, ${back * bulk / MIB} MiB back`;
    testJoined(setup, title, (it) => exchange(it, ...parcels));
  }

  testJoined(setup, "1000 chunks of 1 byte each way", async (it) => {
    await exchange(it, { bytes: 1000, chunk: 1, seed: 5 }, { bytes: 1000, chunk: 1, seed: 6 });
  }, { placements: PLACEMENTS });
  testJoined(setup, "chunks of odd sizes", async (it) => {
    await exchange(it, { bytes: 300_007, chunk: 4093, seed: 7 }, {
      bytes: 9_991,
      chunk: 7,
      seed: 8,
    });
  }, { placements: PLACEMENTS });
  testJoined(setup, "chunks of 1 MiB", async (it) => {
    await exchange(it, { bytes: 8 * MIB, chunk: MIB, seed: 9 }, {
      bytes: 8 * MIB,
      chunk: MIB,
      seed: 10,
    });
  });

  testJoined(setup, "in turns, each waiting for the other", async (it) => {
    const { peer, local } = it;
    for (let turn = 1; turn <= 20; turn++) {
      await local.send({ bytes: turn, seed: 1 });
      await peer.until({ received: turn * (turn + 1) / 2 });
      await peer.send({ bytes: 2 * turn, seed: 2 });
      await local.until({ received: turn * (turn + 1) });
    }
    await finishes(it);
    const { out, in: back } = it.counts();
    assertEquals([out.bytes, back.bytes], [210, 420]);
  }, { placements: PLACEMENTS });

  for (const way of ["out", "in"] as const) {
    for (const placement of PLACEMENTS.slice(0, 2)) {
      const direction = (way === "in") === (placement.side === "a") ? "aToB" : "bToA";
      testJoined(setup, `a limit, ${way}`, async (it) => {
        const [from, to] = way === "out" ? [it.local, it.peer] : [it.peer, it.local];
        await from.send({ bytes: 1000, seed: 11 });
        await arrives(to, [{ bytes: 1000, seed: 11 }]);
        void from.send({ bytes: 1, seed: 12 });
        const { cause } = await rejection(it.joined) as Error;
        assertInstanceOf(cause, LimitError);
        assertEquals([cause.limit, cause.direction], [1000, direction]);
        assertEquals(it.counts()[way].bytes, 1000);
        await arrives(to, [{ bytes: 1000, seed: 11 }]);
      }, { placements: [placement], limit: { [direction]: 1000 } });
    }
  }
}

async function exchange(it: Joined, out: Sending, back: Sending): Promise<void> {
  const sent = [it.local.send(out), it.peer.send(back)];
  const whole = { timeout: TRANSFER_MS };
  await Promise.all([arrives(it.peer, [out], whole), arrives(it.local, [back], whole), ...sent]);
  const result = await finishes(it);
  await Promise.all([arrives(it.peer, [out]), arrives(it.local, [back])]);
  const counts = it.counts();
  assertEquals([counts.out.bytes, counts.in.bytes], [out.bytes, back.bytes]);
  const { aToB, bToA } = result;
  assertEquals(it.placement.side === "a" ? [bToA, aToB] : [aToB, bToA], [counts.out, counts.in]);
}
