// Abort signals, polyfills' included, for `join` and `pipe`.

/** Calls back once `signal` aborts. A polyfill's takes functions alone. Gives what ends the listening. */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  signal.addEventListener("abort", callback);
  return () => signal.removeEventListener("abort", callback);
}

/** Why it has aborted. A polyfill from before there were reasons has none. */
export function abortReasonOf({ reason }: AbortSignal): unknown {
  return reason === undefined ? new DOMException("This was aborted", "AbortError") : reason;
}
