/**
 * What a bench has found: figures, and what they were measured on.
 *
 * @module
 */
import type { Machine } from "./machine.ts";
import { median, type Rounds } from "./statistics.ts";

/** One contender's values of a figure. */
export interface Series {
  readonly name: string;
  /** `null` if every round failed. */
  readonly median: number | null;
  /** Every round's. */
  readonly values: Rounds;
  /** What went wrong, for each round that failed. */
  readonly failures?: readonly string[];
}

/** One measure, and all contenders in it. */
export interface Figure {
  /** The table it stands in. */
  readonly group: string;
  readonly title: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly series: readonly Series[];
}

/** All of a run. */
export interface Report {
  readonly name: string;
  /** When it began. */
  readonly date: string;
  readonly rounds: number;
  readonly machine: Machine;
  /** Of every runtime and peer. */
  readonly versions: Readonly<Record<string, string>>;
  /** Contenders that could not be had, and why. */
  readonly missing: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
}

/** Makes a series of its values. */
export function series(name: string, values: Rounds, failures: readonly string[] = []): Series {
  return { name, median: median(values), values, ...(failures.length > 0 && { failures }) };
}

/** How many times as good `name` is as `other`; `null` if one of them failed. */
export function timesAsGood(figure: Figure, name: string, other: string): number | null {
  const [one, two] = [name, other].map((wanted) =>
    figure.series.find((series) => series.name === wanted)?.median ?? null
  );
  if (one === null || two === null || one === undefined || two === undefined) return null;
  return figure.better === "more" ? one / two : two / one;
}
