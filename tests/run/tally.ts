/**
 * What is counted, and the table of it.
 *
 * @module
 */

/** Counts of results. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** One row of the table. */
export interface Tally extends Counts {
  name: string;
  seconds: number;
}

/** A row with nothing in it yet. */
export function tally(name: string): Tally {
  return { name, passed: 0, failed: 0, skipped: 0, seconds: 0 };
}

/** Adds `part` to `sum`. */
export function add(sum: Counts, part: Counts): void {
  sum.passed += part.passed;
  sum.failed += part.failed;
  sum.skipped += part.skipped;
}

/** The rows, one line each. */
export function table(rows: readonly Tally[]): string {
  const lines = [
    ["", "passed", "failed", "skipped", "seconds"],
    ...rows.map((row) => [
      row.name,
      `${row.passed}`,
      `${row.failed}`,
      `${row.skipped}`,
      row.seconds.toFixed(1),
    ]),
  ];
  const width = Math.max(...rows.map((row) => row.name.length)) + 2;
  return lines
    .map(([name = "", ...cells]) => name.padEnd(width) + cells.map((c) => c.padStart(9)).join(""))
    .join("\n");
}

/** The sum of the rows in one line. */
export function summary(rows: readonly Tally[]): string {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const row of rows) add(sum, row);
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
  return `${sum.passed} passed, ${sum.failed} failed${skipped}`;
}
