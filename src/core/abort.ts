// Abort signals, polyfills' included, for `join` and `pipe`.

/** Calls back once `signal` aborts. Returns a function that stops listening. */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  // Not an object: polyfills of signals take functions alone.
  signal.addEventListener("abort", callback);
  return () => signal.removeEventListener("abort", callback);
}

/** The reason of a signal that has aborted; a polyfill from before there were reasons has none. */
export function abortReasonOf({ reason }: AbortSignal): unknown {
  return reason === undefined ? new DOMException("This was aborted", "AbortError") : reason;
}
