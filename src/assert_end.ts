import { directOf } from "./direct.ts";
import { type End, isFunction, isObject, isReadable, isWritable, type Pair } from "./ends.ts";
import { show } from "./errors.ts";

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
  const direct = directOf(value);
  if (direct) {
    if (direct.reading || direct.writer) refuse(action, name, "must not be in use already");
    return;
  }
  if (isObject(value)) {
    if (isFunction(value, "read") && isFunction(value, "write") && !isNodes(value)) {
      if (isFunction(value, "close")) return;
      refuse(action, name, `is Go-style and must have a 'close' function: got ${show(value)}`);
    }
    const hint = adapterFor(value);
    if (hint) refuse(action, name, hint);
    if (isReadable(value) || isWritable(value)) {
      const both = `must have both a 'readable' and a 'writable': got ${show(value)}; see duplex()`;
      refuse(action, name, both);
    }
  }
  assertStreams(action, name, value);
  const { halfClose, close } = value as Partial<Pair>;
  if (![undefined, true, false, "receive"].includes(halfClose)) {
    const allowed = "must have a 'halfClose' that is a boolean or \"receive\"";
    refuse(action, name, `${allowed}: got ${show(halfClose)}`);
  }
  if (close !== undefined && typeof close !== "function") {
    refuse(action, name, `must have a 'close' that is a function: got ${show(close)}`);
  }
}

/** The same for what need be no more than two unlocked streams. */
export function assertStreams(action: string, name: string, value: unknown): void {
  if (!isObject(value)) {
    refuse(action, name, `must be a pair of streams or a Go-style end: got ${show(value)}`);
  }
  const { readable, writable } = value as Partial<Pair>;
  if (!isReadable(readable)) {
    refuse(action, name, `must have a 'readable' that is a ReadableStream: got ${show(readable)}`);
  }
  if (!isWritable(writable)) {
    refuse(action, name, `must have a 'writable' that is a WritableStream: got ${show(writable)}`);
  }
  if (readable.locked) refuse(action, name, "must not have a locked 'readable'");
  if (writable.locked) refuse(action, name, "must not have a locked 'writable'");
}

/** Both ends of a join; two different ones. */
export function assertEnds(action: string, a: unknown, b: unknown): void {
  assertEnd(action, "a", a);
  assertEnd(action, "b", b);
  if (a === b) throw new TypeError(`${action} an end with itself: 'a' and 'b' are one`);
}

/** One half of an end: a stream, or something Go-style. */
export function assertHalf(
  action: string,
  name: string,
  value: unknown,
  verb: "read" | "write",
): void {
  if (verb === "read" ? isReadable(value) : isWritable(value)) return;
  const hint = adapterFor(value);
  if (hint) refuse(action, name, hint);
  if (isFunction(value, verb)) return;
  const stream = verb === "read" ? "ReadableStream" : "WritableStream";
  refuse(action, name, `must be a ${stream} or have a '${verb}' function: got ${show(value)}`);
}

/** What to do with a platform's object that is no end by itself. */
function adapterFor(value: unknown): string | undefined {
  return FOREIGN.find(([isIt]) => isIt(value))?.[1];
}

type Test = (value: unknown) => boolean;

const has = (...names: string[]): Test => (value) => names.every((name) => isFunction(value, name));

const isNodeStream: Test = (value) => has("pipe", "on")(value);
const isFileHandle = has("read", "write", "readFile");

/** What has `read` and `write` and yet means something else by them. */
function isNodes(value: object): boolean {
  return "pipe" in value && isNodeStream(value) || "readFile" in value && isFileHandle(value);
}

const FOREIGN: readonly (readonly [Test, string])[] = [
  [isNodeStream, "is a Node stream: wrap it with fromNodeSocket() of '@webstreams/join/node'"],
  [
    isFileHandle,
    "is a Node FileHandle: wrap its readableWebStream() and a WritableStream with duplex()",
  ],
  [
    has("write", "flush", "terminate"),
    "is a Bun socket: wrap it with fromBunSocket() of '@webstreams/join/bun'",
  ],
  [
    (value) => has("send", "close")(value) && "readyState" in (value as object),
    "is a WebSocket: wrap it with fromWebSocket() of '@webstreams/join/websocket'",
  ],
  [
    (value) => isObject(value) && "opened" in value && "closed" in value && !("readable" in value),
    "is a WebSocketStream: wrap it with fromWebSocketStream() of '@webstreams/join/websocket'",
  ],
  [
    has("createBidirectionalStream"),
    "is a WebTransport session: open a stream with createBidirectionalStream()",
  ],
];

function refuse(action: string, name: string, why: string): never {
  throw new TypeError(`${action} as '${name}' ${why}`);
}
