/** The share of a pump that works after others, and not beside them. */
import { assertEquals } from "@std/assert";
import { Share } from "../../src/core/share.ts";
import { turns } from "../../src/core/turns.ts";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";

/** Longer than a pump counts as at work. */
const PERIOD_MS = 21;

/** The share of whoever comes after 16 pumps: `keepAtWork` makes those work beside each other. */
async function shareAfter16(keepAtWork: boolean): Promise<number> {
  await delay(PERIOD_MS);
  turns.sliceLasts();
  const shares: Share[] = [];
  for (let pump = 0; pump < 16; pump++) {
    const share = new Share();
    share.spend(1, false, false);
    if (keepAtWork) shares.push(share);
    else share.end();
  }
  await delay(PERIOD_MS);
  turns.sliceLasts();
  for (const share of shares) share.end();
  return turns.share;
}

test("pumps that worked one after the other were alone", async () => {
  assertEquals(await shareAfter16(false), 1024 * 1024);
  assertEquals(await shareAfter16(true), 256 * 1024);
});
