// Logs events as lines; for `program.ts` alone.

import type { ForwardEvent, ShutdownEvent } from "../events.ts";
import type { LogFormat } from "./flags.ts";
import { formatDuration, formatSize } from "./format.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Returns the `onEvent` that writes events to the terminal: JSON, for programs, to stdout, text, for people,
 * to stderr. Returns `undefined` for no log, so that the forwarder makes no events.
 */
export function eventLogger(
  format: LogFormat,
  terminal: Terminal,
): ((event: ForwardEvent) => void) | undefined {
  switch (format) {
    case "json":
      return (event) => terminal.out(`${JSON.stringify(event)}\n`);
    case "text":
      return (event) => terminal.err(`${describeEvent(event)}\n`);
    case "none":
      return undefined;
  }
}

/** Describes an event for people in one line, without an end of line. */
export function describeEvent(event: ForwardEvent): string {
  switch (event.event) {
    case "listen":
      return `Listening on ${event.address}, forwarding to ${event.target}`;
    case "open":
      return `#${event.id} ${event.from} > ${event.to} open`;
    case "close": {
      const { id, from, to, aToB, bToA, ms, reason, error } = event;
      const line = `#${id} ${from} > ${to} ${reason} after ${formatDuration(ms)}, ` +
        `${formatSize(aToB)} there, ${formatSize(bToA)} back`;
      return error === undefined ? line : `${line}: ${error}`;
    }
    case "error":
      return event.error;
    case "shutdown":
      return `Shutting down${describeOpen(event)}`;
  }
}

function describeOpen({ open, grace }: ShutdownEvent): string {
  if (open === 0) return "";
  return grace === Infinity
    ? `: ${open} open`
    : `: ${open} open, cut after ${formatDuration(grace)}`;
}
