// Tells how many bytes a stream made by `streams.ts` has taken, also of an unfinished write; for sinks.

/** For each such stream, how many bytes it has taken so far. */
const counters = new WeakMap<WritableStream<unknown>, () => number>();

const unknown = () => 0;

/**
 * Lets a stream tell how many bytes it has taken, also of a write that has failed or not settled: the peer of
 * the stream has got no more than these.
 */
export function tellTaken(stream: WritableStream<unknown>, taken: () => number): void {
  counters.set(stream, taken);
}

/** Gives what counts the bytes that a stream takes from here on; it counts 0 if the stream cannot tell. */
export function takenFromNow(stream: WritableStream<unknown>): () => number {
  const taken = counters.get(stream);
  if (!taken) return unknown;
  const before = taken();
  return () => taken() - before;
}
