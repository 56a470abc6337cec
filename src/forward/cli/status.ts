// Shows what a forwarder does now in the terminal's live line; for `program.ts` alone.

import type { Forwarder, ForwardStats } from "../forwarder.ts";
import { formatSize } from "./format.ts";
import type { Terminal } from "./terminal.ts";

/** How often the live line is written anew, in ms. */
const INTERVAL = 500;

/** For terminals that do not tell their width. */
const DEFAULT_COLUMNS = 80;

/**
 * Keeps the terminal's live line up to date with the number of open connections, the bytes so far and the
 * rates. Returns the function that removes the line.
 */
export function showStatus(forwarder: Forwarder, terminal: Terminal): () => void {
  if (!terminal.hasLiveLine) return () => {};
  let last = forwarder.stats();
  let lastAt = performance.now();
  const show = () => {
    const now = performance.now();
    const stats = forwarder.stats();
    const seconds = Math.max(now - lastAt, 1) / 1000;
    terminal.setLiveLine(describeStatus(stats, last, seconds).slice(0, columns() - 1));
    last = stats;
    lastAt = now;
  };
  show();
  const timer = setInterval(show, INTERVAL);
  return () => {
    clearInterval(timer);
    terminal.setLiveLine("");
  };
}

/** Describes the counts, and the rates since they were `last`, `seconds` ago. */
export function describeStatus(stats: ForwardStats, last: ForwardStats, seconds: number): string {
  const { open, aToB, bToA } = stats;
  return `${open} open | there ${describeFlow(aToB, last.aToB, seconds)} | ` +
    `back ${describeFlow(bToA, last.bToA, seconds)}`;
}

function describeFlow(bytes: number, lastBytes: number, seconds: number): string {
  return `${formatSize(bytes)} ${formatSize((bytes - lastBytes) / seconds)}/s`;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || DEFAULT_COLUMNS;
  } catch {
    return DEFAULT_COLUMNS;
  }
}
