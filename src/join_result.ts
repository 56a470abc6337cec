import type { PipeResult } from "./pipe.ts";
import type { EndReason } from "./reason.ts";

/** What `join` has moved. */
export interface JoinResult {
  /** What has passed from `a` to `b`. */
  aToB: PipeResult;
  /** What has passed from `b` to `a`. */
  bToA: PipeResult;
  /** Whether both directions reached their end, or what was left fell silent for `halfCloseTimeout`. */
  ended: "eof" | "timeout";
  /** Why it ended, in one word. */
  reason: EndReason;
  /** The end that was the first to end. */
  first?: "a" | "b";
  /** How long it took, in milliseconds. */
  ms: number;
}
