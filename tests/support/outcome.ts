/**
 * What joins fulfil with.
 *
 * @module
 */
import type { JoinError, JoinResult } from "@webstreams/join";

/** What has passed, and that it has ended. */
export function passed({ aToB, bToA, ended }: JoinResult) {
  return { aToB, bToA, ended };
}

/** Why it has ended, and which end was the first to. */
export function why({ reason, first }: JoinResult | JoinError) {
  return { reason, first };
}
