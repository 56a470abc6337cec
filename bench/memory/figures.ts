/**
 * The rows as figures of a report.
 *
 * @module
 */
import { type Figure, series } from "../report/report.ts";
import type { Row } from "./bench.ts";
import { SIGNAL_MS, TICK_MS, type Wait } from "./waits.ts";

/** Bytes of a chunk. */
export const sizes = [64, 1024, 64 * 1024, 1024 * 1024];

/** Makes a figure of a row. */
export function figureOf(group: string, { source, size, micros }: Row): Figure {
  return {
    group,
    title: `${source} source, ${sizeName(size)}`,
    unit: "µs a chunk",
    better: "less",
    series: Object.entries(micros).map(([name, values]) => series(name, values)),
  };
}

/** Makes a figure of a wait. */
export function figureOfWait(group: string, { of, pipes, ms }: Wait): Figure {
  const what = of === "tick"
    ? `longest gap of a ${TICK_MS} ms timer`
    : `AbortSignal.timeout(${SIGNAL_MS}), late by`;
  return {
    group,
    title: `${what}, ${pipes === 1 ? "1 pipe" : `${pipes} pipes`}`,
    unit: "ms",
    better: "less",
    series: Object.entries(ms).map(([name, values]) => series(name, values)),
  };
}

/** The two kinds of sources beside each other. */
export function sideBySide(figures: readonly Figure[]): Figure[] {
  const half = figures.length / 2;
  return figures.slice(0, half).flatMap((figure, index) => [figure, figures[half + index]!]);
}

function sizeName(size: number): string {
  if (size < 1024) return `${size} B`;
  return size < 1024 * 1024 ? `${size / 1024} KiB` : `${size / 1024 / 1024} MiB`;
}
