// Durations and sizes as people write them on a command line; for the forwarder's program alone.

import { refuse } from "../../check/refuse.ts";

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The longest a platform timer can wait: a longer one would fire at once. */
const LONGEST_DURATION = 2_147_483_647;

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

/** Milliseconds, above 0, of a duration such as `500ms`, `30s`, `5m` or `1h`, the value of `name`. */
export function parseDuration(text: string, name: string): number {
  const [, digits = "", unit = ""] = NUMBER_AND_UNIT.exec(text) ?? [];
  const factor = MILLISECONDS[unit];
  if (factor === undefined) {
    refuse("forward", name, "must be a number and ms, s, m or h, such as 30s", text);
  }
  const milliseconds = Number(digits) * factor;
  if (!(milliseconds > 0 && milliseconds <= LONGEST_DURATION)) {
    refuse("forward", name, "must be more than 0 and at most 596h", text, RangeError);
  }
  return milliseconds;
}

/** Bytes, at least 1, of a size such as `512`, `64KiB` or `10MB`, the value of `name`. */
export function parseSize(text: string, name: string): number {
  const [, digits = "", unit = ""] = NUMBER_AND_UNIT.exec(text) ?? [];
  const factor = BYTES[unit.toLowerCase()];
  if (digits === "" || factor === undefined) {
    const rule = "must be a number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 64KiB";
    refuse("forward", name, rule, text);
  }
  const bytes = Number(digits) * factor;
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    refuse("forward", name, "must be whole bytes, 1 to 2^53 - 1", text, RangeError);
  }
  return bytes;
}

/** A count from 1 such as `100`, the value of `name`. */
export function parseCount(text: string, name: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(count) || count < 1) {
    refuse("forward", name, "must be a whole number from 1", text, RangeError);
  }
  return count;
}

/** A file's mode, 0 to 0o777, such as `660`, the value of `name`. */
export function parseMode(text: string, name: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return parseInt(text, 8);
  refuse("forward", name, "must be three octal digits, such as 660", text);
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A size for people, three significant digits or so: `0 B`, `1.5 KiB`, `320 MiB`. */
export function formatSize(bytes: number): string {
  let unit = 0;
  // From 1023.5 on the rounded figure would read "1024".
  while (bytes >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    bytes /= 1024;
    unit++;
  }
  const digits = unit === 0 || bytes >= 99.95 ? 0 : 1;
  return `${bytes.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** A duration for people: `12 ms`, `3.4 s`, `5 m 2 s`, `2 h 30 m`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  const minutes = Math.round(milliseconds / 60_000);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}
