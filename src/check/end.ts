// Classifies ends and halves of ends, and refuses everything else; for every function that takes one.

import { bypassOf } from "../core/bypass.ts";
import type { End, Pair } from "../ends.ts";
import { isFunction, isObject, isReadable, isWritable } from "./kinds.ts";
import { refuse } from "./refuse.ts";
import { type UnreadEnd, unreadOf } from "../core/unread_end.ts";

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
  const unread = unreadOf(value);
  if (unread) return assertUnread(action, name, unread);
  const bypass = bypassOf(value);
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

/** It has locked its end's `readable` itself. */
function assertUnread(action: string, name: string, { end, isLocking }: UnreadEnd): void {
  if (!isLocking) return assertEnd(action, name, end);
  if (!bypassOf(end) && end.writable.locked) {
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

type Verb = "read" | "write";

/** One half of an end: a stream, or something Go-style. */
export function assertHalf(action: string, name: string, value: unknown, verb: Verb): void {
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

/** Says what to do with a platform's object that is no end by itself, or only half of one. */
function refuseForeign(action: string, name: string, value: unknown, verb?: Verb): void {
  if (!isObject(value)) return;
  // Of half an end the streams may not be looked at, as a socket's are made by that.
  const { readable, writable } = verb ? {} : value as Partial<Pair>;
  if (isReadable(readable) && isWritable(writable)) return;
  for (const [rule, ...members] of FOREIGN) {
    if (!members.every((member) => member in value)) continue;
    const broken = typeof rule === "string" ? rule : rule(value, verb);
    if (broken) refuse(action, name, broken, value);
  }
}

/** What is to be done, if anything; for a half, by what it is to do. */
type Rule = string | ((value: object, verb?: Verb) => string | false);

const wrapped = (by: string, entry: string, what = "") =>
  `must be ${what}wrapped with ${by}() of '@webstreams/join/${entry}'`;
const port = (what?: string) => wrapped("fromMessagePort", "message_port", what);
const channel = (what?: string) => wrapped("fromDataChannel", "webrtc", what);

const ofNode: Rule = (value, verb) => {
  const [reads, writes] = [isFunction(value, "read"), isFunction(value, "write")];
  if (reads && writes && !verb) return wrapped("fromNodeSocket", "node");
  const one = (verb ?? (writes ? "write" : "read")) === "write" ? "Writable" : "Readable";
  return wrapped(`fromNode${one}`, "node") + (verb ? "" : ", and made an end by duplex()");
};

const child: Rule = (value, verb) =>
  verb
    ? `must be its '${verb === "read" ? "stdout" : "stdin"}'`
    : "on" in value
    ? "must be duplex(fromNodeReadable(child.stdout), fromNodeWritable(child.stdin))"
    : "must be duplex(child.stdout, child.stdin), on Bun with fromBunSink(child.stdin)";

/** A Bun file is written anew by each `write()`. */
const file: Rule = (_, verb) =>
  verb === "read"
    ? "must be read by its stream()"
    : verb === "write"
    ? "must be opened, as by Bun.file(path).writer()"
    : "must be duplex(file.stream(), fromBunSink(file.writer()))";

const body: Rule = (_, verb) => verb ? "must be its 'body'" : "must be two bodies, see duplex()";

const iterable: Rule = (value, verb) =>
  !(verb && isFunction(value, verb)) && !isReadable(value) &&
  `must be made a ReadableStream, by its from()${verb ? "" : ", and an end by duplex()"}`;

/** What is to be done, and the members that tell who needs it. */
const FOREIGN: readonly (readonly [Rule, ...(string | symbol)[]])[] = [
  ["must be awaited", "then"],
  ["must be the stream, unlocked, and not its reader or writer", "releaseLock"],
  [ofNode, "pipe", "on"],
  [child, "stdin", "stdout", "kill"],
  [wrapped("fromBunSocket", "bun"), "flush", "terminate"],
  [channel(), "send", "bufferedAmountLowThreshold"],
  [channel("its createDataChannel(), "), "createDataChannel"],
  [wrapped("fromBunSink", "bun"), "flush", "sinkId"],
  [wrapped("fromWebSocket", "websocket"), "send", "readyState"],
  [wrapped("fromWebSocketStream", "websocket"), "opened", "url"],
  [wrapped("fromSocket", "socket"), "opened", "closed"],
  [port(), "postMessage", "start"],
  [port("given a MessagePort, "), "postMessage"],
  ["must be opened with createBidirectionalStream()", "createBidirectionalStream"],
  [wrapped("fromNodeSocket", "node", "one of its streams, "), "goaway"],
  ["must be a byte stream, and no datagrams", "send", "receive"],
  ["must be a byte stream, and no datagrams", "send", "addMembership"],
  ["must be wrapped as two streams with duplex()", "readFile"],
  ["must be wrapped as two streams with duplex()", "send", "addEventListener"],
  ["must be a byte stream, and no events", "emit", "on"],
  [file, "stream", "writer"],
  [body, "bodyUsed"],
  [iterable, Symbol.asyncIterator],
];
