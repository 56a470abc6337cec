import { assertEquals, assertThrows } from "@std/assert";
import {
  parseCount,
  parseDuration,
  parseMode,
  parseSize,
  parseWord,
} from "../../../src/forward/cli/values.ts";
import { test } from "../../harness.ts";

test("durations are read with each unit", () => {
  const durations = ["1ms", "500ms", "1.5s", "30s", "5m", "1h", "596h"];
  assertEquals(
    durations.map((text) => parseDuration(text, "--grace")),
    [1, 500, 1500, 30_000, 300_000, 3_600_000, 2_145_600_000],
  );
});

test("a bad duration is an error with the argument, the rule and the value", () => {
  for (const text of ["", "5", "s", "-5s", "1e3s", "5 s", "5S", "5d", "NaN", "Infinity", ".5s"]) {
    assertThrows(
      () => parseDuration(text, "--grace"),
      TypeError,
      "Cannot forward as '--grace' must be a number and ms, s, m or h, such as 30s: " +
        `got "${text}"`,
    );
  }
  for (const text of ["0ms", "0s", "0.0h", "597h", "2147483648ms"]) {
    assertThrows(
      () => parseDuration(text, "--grace"),
      RangeError,
      `Cannot forward as '--grace' must be more than 0 and at most 596h: got "${text}"`,
    );
  }
});

test("sizes are read with each unit", () => {
  const sizes = ["1", "512B", "64KiB", "10MB", "1.5kb", "1GiB", "2GB", "1TiB", "1TB", "3mib"];
  assertEquals(
    sizes.map((text) => parseSize(text, "--limit")),
    [1, 512, 65536, 1e7, 1500, 2 ** 30, 2e9, 2 ** 40, 1e12, 3 * 2 ** 20],
  );
});

test("a bad size is an error with the argument, the rule and the value", () => {
  for (const text of ["", "KiB", "-1", "1e3", "64K", "10 MB", "10MB/s", "NaN", "Infinity"]) {
    assertThrows(
      () => parseSize(text, "--limit"),
      TypeError,
      "Cannot forward as '--limit' must be a number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, " +
        `such as 64KiB: got "${text}"`,
    );
  }
  for (const text of ["0", "0KiB", "0.5", "1.0001KiB", "9007199254740992", "9000TiB"]) {
    assertThrows(
      () => parseSize(text, "--limit"),
      RangeError,
      `Cannot forward as '--limit' must be whole bytes, 1 to 2^53 - 1: got "${text}"`,
    );
  }
});

test("counts are whole and from 1", () => {
  assertEquals(parseCount("1", "--max-connections"), 1);
  assertEquals(parseCount("100000", "--max-connections"), 100_000);
  for (const text of ["", "0", "-1", "1.5", "1e3", "NaN", "ten", "9007199254740992"]) {
    assertThrows(
      () => parseCount(text, "--max-connections"),
      RangeError,
      `Cannot forward as '--max-connections' must be a whole number from 1: got "${text}"`,
    );
  }
});

test("modes are three octal digits", () => {
  assertEquals(["660", "0600", "777", "000"].map((text) => parseMode(text, "--unix-mode")), [
    0o660,
    0o600,
    0o777,
    0,
  ]);
  for (const text of ["", "66", "668", "1777", "0o660", "-660", "rw", "6 0"]) {
    assertThrows(
      () => parseMode(text, "--unix-mode"),
      TypeError,
      `Cannot forward as '--unix-mode' must be three octal digits, such as 660: got "${text}"`,
    );
  }
});

test("a word must be in the list", () => {
  const words = ["text", "json", "none"] as const;
  assertEquals(parseWord("json", "--log", words), "json");
  for (const text of ["", "JSON", "xml", "text,json"]) {
    assertThrows(
      () => parseWord(text, "--log", words),
      TypeError,
      `Cannot forward as '--log' must be text, json or none: got "${text}"`,
    );
  }
  assertThrows(
    () => parseWord("close", "--half-close", ["pass", "end"]),
    TypeError,
    `Cannot forward as '--half-close' must be pass or end: got "close"`,
  );
});
