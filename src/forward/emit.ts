// Hands events to the caller; for the forwarder alone.

import type { ForwardEvent } from "./events.ts";

/** Calls `onEvent`, if there is one, with an event. Never throws. */
export function emit(
  event: ForwardEvent,
  onEvent: ((event: ForwardEvent) => void) | undefined,
): void {
  try {
    onEvent?.(event);
  } catch (error) {
    // A bug of the caller must not end a connection; it surfaces as an uncaught error.
    reportError(error);
  }
}
