import { assertEquals } from "@std/assert";
import { formatDuration, formatSize } from "../../../src/forward/cli/format.ts";
import { test } from "../../harness.ts";

test("sizes are shown with up to three digits", () => {
  assertEquals(
    [0, 1, 1023, 1024, 1536, 10_240, 102_400, 1_048_575, 1_048_576, 2 ** 40 * 5000].map(formatSize),
    [
      "0 B",
      "1 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "10.0 KiB",
      "100 KiB",
      "1.0 MiB",
      "1.0 MiB",
      "5000 TiB",
    ],
  );
});

test("durations are shown in the two units that matter", () => {
  assertEquals(
    [0, 12.4, 999, 999.6, 3400, 59_940, 59_960, 302_000, 3_599_400, 9_000_000].map(formatDuration),
    [
      "0 ms",
      "12 ms",
      "999 ms",
      "1.0 s",
      "3.4 s",
      "59.9 s",
      "1 m 0 s",
      "5 m 2 s",
      "59 m 59 s",
      "2 h 30 m",
    ],
  );
});
