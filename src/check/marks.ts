// The keys under which an end of ours offers more than two streams, and what a check looks at of that; for
// everything in src.

import type { Pair } from "../ends.ts";

/** The key under which an adapter's end offers its `Bypass`. */
export const BYPASS: unique symbol = Symbol("bypass");
/** The key under which what `unread()` has made offers its `UnreadEnd`. */
export const UNREAD: unique symbol = Symbol("unread");

/** An end that may have one of the two; it has neither any more once its streams have been asked for. */
export interface Marked {
  readonly [BYPASS]?: {
    /** Who uses the end past its streams: nobody else may. */
    readonly user?: object;
  };
  readonly [UNREAD]?: {
    readonly end: Pair<unknown, unknown>;
    /** Whether it still locks `end`, which nobody else has used yet. */
    readonly isLocking: boolean;
  };
}

/** The marks of a value of any kind. */
export function marksOf(value: unknown): Marked {
  return Object(value);
}
