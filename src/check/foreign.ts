// Tells platforms' own objects that are no ends by themselves, and what is to be done with each; for `end.ts`.

import type { Pair } from "../ends.ts";
import { isFunction, isObject, isReadable, isWritable } from "./kinds.ts";
import { refuse } from "./refuse.ts";

type Verb = "read" | "write";

/** Says what to do with a platform's object that is no end by itself, or only half of one. */
export function refuseForeign(action: string, name: string, value: unknown, verb?: Verb): void {
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
