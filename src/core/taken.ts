// Tells how much of an unfinished write a stream made by `halves.ts` has taken; for `halves.ts` and `sink.ts`.

/** Of the streams that are made here: how many bytes each has taken so far. */
const streams = new WeakMap<WritableStream<unknown>, () => number>();

const unknown = () => 0;

/**
 * Lets a stream tell how much it has taken, also of a write that has failed or not settled: what its peer
 * has got is no more than that.
 */
export function tellTaken(stream: WritableStream<unknown>, taken: () => number): void {
  streams.set(stream, taken);
}

/** Counts the bytes that a stream takes from here on, if it can tell. */
export function takenFromNow(stream: WritableStream<unknown>): () => number {
  const taken = streams.get(stream);
  if (!taken) return unknown;
  const before = taken();
  return () => taken() - before;
}
