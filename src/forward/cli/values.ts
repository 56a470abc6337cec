// Reads the values of flags; for `flags.ts` alone.

import { MAX_TIMEOUT_MS } from "../../check/options.ts";
import { refuse } from "../../check/refuse.ts";

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const BYTES: Record<string, number> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const NUMBER_AND_UNIT = /^(\d+(?:\.\d+)?)([a-z]*)$/i;

/** Reads a duration such as `500ms`, `30s`, `5m` or `1h`. Returns milliseconds, more than 0. */
export function parseDuration(text: string, flag: string): number {
  const [, digits = "", unit = ""] = NUMBER_AND_UNIT.exec(text) ?? [];
  const factor = MILLISECONDS[unit];
  if (factor === undefined) {
    refuse("forward", flag, "must be a number and ms, s, m or h, such as 30s", text);
  }
  const milliseconds = Number(digits) * factor;
  if (!(milliseconds > 0 && milliseconds <= MAX_TIMEOUT_MS)) {
    refuse("forward", flag, "must be more than 0 and at most 596h", text, RangeError);
  }
  return milliseconds;
}

/** Reads a size such as `512`, `64KiB` or `10MB`. Returns bytes, at least 1. */
export function parseSize(text: string, flag: string): number {
  const [, digits = "", unit = ""] = NUMBER_AND_UNIT.exec(text) ?? [];
  const factor = BYTES[unit.toLowerCase()];
  if (digits === "" || factor === undefined) {
    const rule = "must be a number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 64KiB";
    refuse("forward", flag, rule, text);
  }
  const bytes = Number(digits) * factor;
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    refuse("forward", flag, "must be whole bytes, 1 to 2^53 - 1", text, RangeError);
  }
  return bytes;
}

/** Reads a whole number from 1, such as `100`. */
export function parseCount(text: string, flag: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(count) || count < 1) {
    refuse("forward", flag, "must be a whole number from 1", text, RangeError);
  }
  return count;
}

/** Reads a file's mode such as `660`. Returns 0 to 0o777. */
export function parseMode(text: string, flag: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return parseInt(text, 8);
  refuse("forward", flag, "must be three octal digits, such as 660", text);
}

/** Reads one of several words. */
export function parseWord<const T extends string>(
  text: string,
  flag: string,
  words: readonly T[],
): T {
  const word = words.find((word) => word === text);
  if (word !== undefined) return word;
  const list = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  refuse("forward", flag, `must be ${list}`, text);
}
