// Tells kinds of ends and halves apart; for everything in src.

import type { Conn, End } from "../ends.ts";

/** Whether `end` is Go-style. */
export function isConn<R, W>(end: End<R, W>): end is Conn {
  return isFunction(end, "read") && isFunction(end, "write");
}

/** Whether `end` is a {@linkcode MessagePair}. */
export function isOfMessages(end: object): boolean {
  return "messages" in end && end.messages === true;
}

/** Whether an end of either kind can half-close, in the words of `Pair.halfClose`. */
export function halfCloseOf<R, W>(end: End<R, W>): boolean | "receive" {
  return end.halfClose ?? (!isConn(end) || isFunction(end, "closeWrite") || "receive");
}

/** Whether `half` is a `ReadableStream` of this realm, of another one, or of a polyfill. */
export function isReadable(half: unknown): half is ReadableStream<unknown> {
  return isFunction(half, "getReader");
}

/** Whether `half` is a `WritableStream` of this realm, of another one, or of a polyfill. */
export function isWritable(half: unknown): half is WritableStream<unknown> {
  return isFunction(half, "getWriter");
}

/** Whether `value[name]` can be called. */
export function isFunction(value: unknown, name: string): boolean {
  return isObject(value) && name in value &&
    typeof (value as Record<string, unknown>)[name] === "function";
}

/** Whether `value` can have members. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null || typeof value === "function";
}
