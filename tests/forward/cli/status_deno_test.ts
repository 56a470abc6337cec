import { assertEquals } from "@std/assert";
import { describeStatus } from "../../../src/forward/cli/status.ts";
import { test } from "../../harness.ts";

test("the live line has the open connections, the totals and the rates", () => {
  const last = { open: 1, accepted: 1, aToB: 1024, bToA: 0 };
  const stats = { open: 3, accepted: 4, aToB: 5120, bToA: 3 * 2 ** 20 };
  assertEquals(
    describeStatus(stats, last, 0.5),
    "3 open | there 5.0 KiB 8.0 KiB/s | back 3.0 MiB 6.0 MiB/s",
  );
});
