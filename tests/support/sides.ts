/**
 * The two ends of a join, by the names that `join` gives them.
 *
 * @module
 */

/** An end of a join. */
export type Side = "a" | "b";

/** Both. */
export const sides: readonly Side[] = ["a", "b"];

/** The opposite end. */
export function otherSide(side: Side): Side {
  return side === "a" ? "b" : "a";
}
