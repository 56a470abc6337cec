// Writes sizes and durations for people; for the log and the live line.

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Writes a number of bytes with up to three digits: `0 B`, `1.5 KiB`, `320 MiB`. */
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

/** Writes a duration with up to two units: `12 ms`, `3.4 s`, `5 m 2 s`, `2 h 30 m`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  const minutes = Math.round(milliseconds / 60_000);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}
