/**
 * Figures as bar charts that can be read on a light page and on a dark one.
 *
 * @module
 */
import type { Figure, Series } from "./report.ts";
import { present, shown } from "./statistics.ts";

/** A chart. */
export interface Chart {
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Contenders that are ours: their bars are coloured. */
  readonly ours: (name: string) => boolean;
  /** Lines under it. */
  readonly caption: readonly string[];
}

const WIDTH = 860;
const MARGIN = 16;
const GAP = 24;
const LINE = 17;
const BAR = 11;
const HEAD = 22;
const LETTER = 6.5;
const VALUE = 62;

const STYLE = `
text { font: 11px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 14px; font-weight: 600; }
.head { font-weight: 600; }
.dim { fill: #656d76; }
.bar { fill: #8c959f; }
.ours { fill: #0969da; }
.range { stroke: #1f2328; stroke-opacity: .55; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .dim { fill: #8d96a0; }
  .bar { fill: #6e7681; }
  .ours { fill: #4493f8; }
  .range { stroke: #e6edf3; }
}`;

/** Draws a chart; the thin line on a bar goes from the lowest round to the highest. */
export function svg({ title, figures, ours, caption }: Chart): string {
  const columns = figures.length > 1 ? 2 : 1;
  const width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns;
  const parts = [text(MARGIN, 26, title, "title")];
  let top = 40;
  for (let index = 0; index < figures.length; index += columns) {
    const row = figures.slice(index, index + columns);
    row.forEach((figure, column) => {
      parts.push(draw(figure, MARGIN + column * (width + GAP), top, width, ours));
    });
    top += HEAD + Math.max(...row.map(({ series }) => series.length)) * LINE + 12;
  }
  for (const line of caption) parts.push(text(MARGIN, top += 14, line, "dim"));
  const height = top + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" ` +
    `height="${height}" role="img" aria-label="${escaped(title)}">\n<style>${STYLE}\n</style>\n` +
    `${parts.join("\n")}\n</svg>\n`;
}

function draw(
  { title, unit, better, series }: Figure,
  left: number,
  top: number,
  width: number,
  ours: Chart["ours"],
): string {
  const label = Math.max(...series.map(({ name }) => name.length)) * LETTER + 8;
  const most = Math.max(...series.flatMap(({ values }) => present(values)), Number.MIN_VALUE);
  const room = width - label - VALUE;
  const parts = [text(left, top + 14, `${title}, ${unit} (${better} is better)`, "head")];
  series.forEach((one, index) => {
    const y = top + HEAD + index * LINE;
    parts.push(text(left + label - 8, y + BAR - 1, one.name, "", "end"));
    parts.push(bar(one, left + label, y, room / most, ours(one.name)));
  });
  return parts.join("\n");
}

function bar(series: Series, x: number, y: number, scale: number, ours: boolean): string {
  if (series.median === null) return text(x + 4, y + BAR - 1, "failed", "dim");
  const values = present(series.values);
  const [low, high] = [Math.min(...values) * scale, Math.max(...values) * scale];
  const length = Math.max(1, series.median * scale);
  const middle = y + BAR / 2;
  return `<rect class="${ours ? "ours" : "bar"}" x="${at(x)}" y="${y}" width="${at(length)}" ` +
    `height="${BAR}" rx="2"/>\n` +
    `<line class="range" x1="${at(x + low)}" x2="${
      at(x + high)
    }" y1="${middle}" y2="${middle}"/>\n` +
    text(x + Math.max(length, high) + 6, y + BAR - 1, shown(series.median));
}

function text(x: number, y: number, content: string, style = "", anchor = ""): string {
  return `<text x="${at(x)}" y="${y}"${style && ` class="${style}"`}` +
    `${anchor && ` text-anchor="${anchor}"`}>${escaped(content)}</text>`;
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
