// The states of the two halves of an end; for `event_end.ts` alone.

/**
 * The reading half.
 *
 * - `"open"`: chunks may come.
 * - `"ended"`: the peer has ended; chunks that came before can still be read, and then the end of file.
 * - `"unwanted"`: chunks that come are dropped; only the end of the peer is awaited.
 * - `"over"`: unwanted, and the peer has ended.
 */
export type Reading = "open" | "ended" | "unwanted" | "over";

/** The writing half: `"ended"` once our end has been sent, `Failed` if writing failed and reading goes on. */
export type Writing = "open" | "ended" | Failed;

export interface Failed {
  readonly error: unknown;
}
