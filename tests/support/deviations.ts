/**
 * The platforms whose own streams depart from the Streams standard, by how they do. A test that rests
 * on what they lack leaves them out by these names, and `deviations_test.ts` shows each, so that we
 * see when a platform changes.
 *
 * @module
 */

/** `pipeTo` ends at once if the sink is erroring, whatever is being written. */
export const IGNORES_ERRORING = ["chromium"];
/** `pipeTo` sees that the signal has aborted only when the next chunk, or the end, comes. */
export const ABORTS_LATE = ["webkit", "workerd"];
/** `pipeTo` reads a chunk once the last is written, and keeps few other rules: it is no reference. */
export const PIPES_CHUNK_BY_CHUNK = ["workerd"];
/** `pipeTo` goes past the writable of a `TransformStream` without a `transform()`, and its room. */
export const PIPES_PAST_IDENTITY = ["deno", "workerd"];
/** A teed byte stream answers a BYOB read as its source closes, `respond(0)` or not. */
export const TEES_ANSWER = ["deno", "workerd"];
/** A sink with a high-water mark of 0 and a `start()` is ready until its first write. */
export const READY_WITHOUT_ROOM = ["workerd"];
/** `desiredSize` stays a number while a sink is erroring. */
export const SIZED_WHEN_ERRORING = ["workerd"];
/** A new writer of a full sink that is to be closed is not ready before it is closed. */
export const CLOSES_UNREADY = ["workerd"];
/** An abort fails what a writer has written and let go of with another error than its reason. */
export const FAILS_RELEASED = ["workerd"];
/** `cancel()` does not reach a source that has been closed with chunks left. */
export const CLOSED_UNCANCELLED = ["workerd"];
/** `Infinity` is refused as a high-water mark. */
export const NO_INFINITY = ["workerd"];

/** A socket's stream finds but 4 KiB for a read by a default reader: `contract/workerd_test.ts` shows it. */
export const FINDS_LITTLE = ["workerd"];
