// Public: `JoinResult`.

import type { PipeResult } from "../pipe/pipe.ts";
import type { EndReason } from "../reason.ts";

/** What `join` has moved. */
export interface JoinResult {
  /** What has passed from `a` to `b`. */
  aToB: PipeResult;
  /** What has passed from `b` to `a`. */
  bToA: PipeResult;
  /**
   * `"eof"` if both directions have ended; `"timeout"` if one has ended and the other was then silent for
   * `halfCloseTimeout`.
   */
  ended: "eof" | "timeout";
  /** Why the join ended, in one word that is the same on every runtime. */
  reason: EndReason;
  /** The end that was the first to end. */
  first?: "a" | "b";
  /** How long the join took, in milliseconds. */
  ms: number;
}
