// Public: what is counted, and which way it goes.

/** Which way bytes travel in a {@linkcode join}: from `a` to `b` or from `b` to `a`. */
export type Direction = "aToB" | "bToA";

/** What passed in one direction, final or live. */
export interface Counts {
  /** Bytes of fulfilled writes, and of failed writes the bytes that the end of an adapter has taken. */
  bytes: number;
  /** Chunks whose write the sink has fulfilled. */
  chunks: number;
}
