/**
 * What becomes of the rounds' values. A value is missing where its round failed.
 *
 * @module
 */

/** One value a round. */
export type Rounds = readonly (number | null)[];

/** The values that are there. */
export function present(values: Rounds): number[] {
  return values.filter((value) => value !== null);
}

/** The middle one, or the mean of the middle two; `null` without any. */
export function median(values: Rounds): number | null {
  const sorted = present(values).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The median of the ratios round by round: what slows a whole round falls out of it. */
export function pairedRatio(values: Rounds, others: Rounds): number | null {
  return median(values.map((value, round) => {
    const other = others[round] ?? null;
    return value === null || other === null ? null : value / other;
  }));
}

/** Three digits that count. */
export function shown(value: number): string {
  if (Math.abs(value) >= 1000) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
