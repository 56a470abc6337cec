// The live line on a terminal; for the forwarder's program alone.

import type { Forwarder, ForwardStats } from "../forwarder.ts";
import type { Terminal } from "./terminal.ts";
import { formatSize } from "./units.ts";

const INTERVAL = 500;

/**
 * Keeps a terminal's live line up to date: open joins, totals and rates. Returns what removes the line,
 * to be called at the end.
 */
export function showStatus(forwarder: Forwarder, terminal: Terminal): () => void {
  if (!terminal.hasLive) return () => {};
  let last = forwarder.stats();
  let lastAt = performance.now();
  const show = () => {
    const now = performance.now();
    const stats = forwarder.stats();
    const seconds = Math.max(now - lastAt, 1) / 1000;
    terminal.live(describeStatus(stats, last, seconds).slice(0, columns() - 1));
    last = stats;
    lastAt = now;
  };
  show();
  const timer = setInterval(show, INTERVAL);
  return () => {
    clearInterval(timer);
    terminal.live("");
  };
}

/** The live line: counts of now, and rates since `last`, which was `seconds` ago. */
export function describeStatus(stats: ForwardStats, last: ForwardStats, seconds: number): string {
  const { open, aToB, bToA } = stats;
  return `${open} open | there ${describeFlow(aToB, last.aToB, seconds)} | ` +
    `back ${describeFlow(bToA, last.bToA, seconds)}`;
}

function describeFlow(bytes: number, before: number, seconds: number): string {
  return `${formatSize(bytes)} ${formatSize((bytes - before) / seconds)}/s`;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    // Not every terminal tells its size.
    return 80;
  }
}
