/**
 * Figures as Markdown tables.
 *
 * @module
 */
import type { Figure, Series } from "./report.ts";
import { shown } from "./statistics.ts";

/** What stands in brackets behind a value. */
export type Note = (figure: Figure, series: Series) => number | null;

/** A line a figure, a column a contender; `-` where it has no part in the figure. */
export function byFigure(figures: readonly Figure[], note: Note): string {
  const names = [...new Set(figures.flatMap(({ series }) => series.map(({ name }) => name)))];
  const rows = figures.map((figure) => [
    figure.title,
    ...names.map((name) => {
      const series = figure.series.find((one) => one.name === name);
      return series ? cell(figure, series, note) : "-";
    }),
  ]);
  return table([figures[0]!.unit, ...names], rows);
}

/** A line a contender, a column a figure. */
export function byContender(figures: readonly Figure[], note: Note): string {
  const names = figures[0]!.series.map(({ name }) => name);
  const rows = names.map((name, index) => [
    name,
    ...figures.map((figure) => cell(figure, figure.series[index]!, note)),
  ]);
  return table(["", ...figures.map(({ title, unit }) => `${title}, ${unit}`)], rows);
}

function cell(figure: Figure, series: Series, note: Note): string {
  if (series.median === null) return "failed";
  const ratio = note(figure, series);
  const failed = series.failures ? `, failed in ${series.failures.length}` : "";
  return shown(series.median) + (ratio === null ? "" : ` (${ratio.toFixed(2)})`) + failed;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((text, column) =>
    Math.max(3, text.length, ...rows.map((row) => row[column]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((text, column) =>
        column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)
      ).join(" | ")
    } |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
