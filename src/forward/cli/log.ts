// Events as lines of a log; for the forwarder's program alone.

import type { ForwardEvent, ShutdownEvent } from "../events.ts";
import type { LogFormat } from "./flags.ts";
import type { Terminal } from "./terminal.ts";
import { formatDuration, formatSize } from "./units.ts";

/**
 * A listener that writes events to the terminal in a format: JSON, as a result, to stdout, text, for
 * people, to stderr. `undefined` for no log, so that no event is made at all.
 */
export function logTo(
  format: LogFormat,
  terminal: Terminal,
): ((event: ForwardEvent) => void) | undefined {
  switch (format) {
    case "json":
      return (event) => terminal.out(JSON.stringify(event) + "\n");
    case "text":
      return (event) => terminal.err(describe(event) + "\n");
    case "none":
      return undefined;
  }
}

/** An event in words for people: one line, without its end. */
export function describe(event: ForwardEvent): string {
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
      return `Shutting down${describeRest(event)}`;
  }
}

function describeRest({ open, grace }: ShutdownEvent): string {
  if (open === 0) return "";
  return grace === Infinity
    ? `: ${open} open`
    : `: ${open} open, cut after ${formatDuration(grace)}`;
}
