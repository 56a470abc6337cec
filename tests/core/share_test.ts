/** The share of a pump that works after others, and not beside them. */
import { assertEquals } from "@std/assert";
import { Share } from "../../src/core/share.ts";
import { turns } from "../../src/core/turns.ts";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";

/** Within this time, in milliseconds, a period must be followed by the next one: later all pumps have stopped. */
const MAX_PERIOD_MS = 38;

/** The share of whoever comes after 16 pumps: `keepAtWork` makes those work beside each other. */
async function shareAfter16(keepAtWork: boolean): Promise<number> {
  for (;;) {
    await delay(MAX_PERIOD_MS);
    turns.sliceLasts();
    const { period } = turns;
    const start = performance.now();
    const shares = Array.from({ length: 16 }, () => {
      const share = new Share();
      share.spend(1, false, false);
      if (!keepAtWork) share.end();
      return share;
    });
    while (turns.period === period) {
      await delay(1);
      turns.sliceLasts();
    }
    const isInTime = performance.now() - start < MAX_PERIOD_MS;
    for (const share of shares) share.end();
    if (isInTime) return turns.share;
  }
}

test("pumps that worked one after the other were alone", async () => {
  assertEquals(await shareAfter16(false), 1024 * 1024);
  assertEquals(await shareAfter16(true), 256 * 1024);
});
