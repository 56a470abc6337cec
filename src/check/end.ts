// Refuses what is no end, and no half of an end; for every function that takes one.

import type { End, Pair } from "../ends.ts";
import { refuseForeign } from "./foreign.ts";
import { isFunction, isObject, isReadable, isWritable } from "./kinds.ts";
import { BYPASS, type Marked, marksOf, UNREAD } from "./marks.ts";
import { refuse } from "./refuse.ts";

/**
 * Tells an end from everything else.
 *
 * @param action What is asked for, to begin the message with.
 * @param name What the value is called there.
 * @throws {TypeError} If it is none, or has a locked stream.
 */
export function assertEnd(
  action: string,
  name: string,
  value: unknown,
): asserts value is End<unknown, unknown> {
  const { [UNREAD]: unread, [BYPASS]: bypass } = marksOf(value);
  if (unread) return assertUnread(action, name, unread);
  if (bypass) {
    if (bypass.user) refuse(action, name, "must not be locked", value);
    return;
  }
  const { halfClose, close } = Object(value) as Partial<Pair>;
  const goStyle = isGoStyle(value);
  if (!goStyle) {
    refuseForeign(action, name, value);
    assertStreams(action, name, value);
  }
  if ((close || goStyle) && typeof close !== "function") {
    refuse(action, name, "must have a 'close' function", goStyle ? value : close);
  }
  if (![undefined, true, false, "receive"].includes(halfClose)) {
    refuse(action, name, "must have a 'halfClose' that is a boolean or \"receive\"", halfClose);
  }
  if (goStyle && halfClose === true && !isFunction(value, "closeWrite")) {
    refuse(action, name, "must have a 'closeWrite' function if its 'halfClose' is true", value);
  }
}

type Unread = NonNullable<Marked[typeof UNREAD]>;

/** Its `readable` is locked by what `unread()` has made of it. */
function assertUnread(action: string, name: string, { end, isLocking }: Unread): void {
  if (!isLocking) return assertEnd(action, name, end);
  if (!marksOf(end)[BYPASS] && end.writable.locked) {
    refuse(action, name, "must not have a locked 'writable'", end);
  }
}

const READABLE = ["readable", "ReadableStream", isReadable] as const;
const WRITABLE = ["writable", "WritableStream", isWritable] as const;

/** The same for what need be no more than two unlocked streams. */
export function assertStreams(action: string, name: string, value: unknown): void {
  if (!isObject(value)) refuse(action, name, "must be a pair of streams or a Go-style end", value);
  if (isReadable(value) || isWritable(value)) {
    refuse(action, name, "must have both a 'readable' and a 'writable', see duplex()", value);
  }
  for (const [half, kind, isOne] of [READABLE, WRITABLE]) {
    const stream = (value as Partial<Pair>)[half];
    if (!isOne(stream)) {
      const hint = stream === undefined && isHalf(value) ? ", or be one half of a duplex()" : "";
      refuse(action, name, `must have a '${half}' that is a ${kind}${hint}`, stream);
    }
    if (stream.locked) refuse(action, name, `must not have a locked '${half}'`, value);
  }
}

/** As standard input is. */
function isHalf(value: object): boolean {
  return isFunction(value, "read") || isFunction(value, "write") ||
    "readable" in value || "writable" in value;
}

/** One half of an end: a stream, or something Go-style. */
export function assertHalf(
  action: string,
  name: string,
  value: unknown,
  verb: "read" | "write",
): void {
  const [, kind, isOne] = verb === "read" ? READABLE : WRITABLE;
  if (isOne(value)) return;
  refuseForeign(action, name, value, verb);
  if (isFunction(value, verb)) return;
  refuse(action, name, `must be a ${kind} or have a '${verb}' function`, value);
}

/** Node's streams and files have `read` and `write` and mean something else by them. */
function isGoStyle(value: unknown): boolean {
  return isFunction(value, "read") && isFunction(value, "write") &&
    !isFunction(value, "pipe") && !isFunction(value, "readFile") &&
    !isFunction(value, "releaseLock");
}
