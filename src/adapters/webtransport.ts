/**
 * Ends of WebTransport streams, in browsers and on Deno, where QUIC streams of its own are like them.
 *
 * @example In a page: a WebTransport stream joined to a WebSocket
 * ```ts ignore
 * import { join } from "@webstreams/join";
 * import { fromWebSocket } from "@webstreams/join/websocket";
 * import { fromWebTransport } from "@webstreams/join/webtransport";
 *
 * const session = new WebTransport("https://example.com/relay");
 * await session.ready;
 * const stream = await session.createBidirectionalStream();
 * await join(fromWebTransport(stream), fromWebSocket(new WebSocket("wss://example.com/feed")));
 * ```
 *
 * @module
 */
import type { Pair } from "../ends.ts";
import { isFunction, isObject, isReadable, isWritable } from "../check/kinds.ts";
import { refuse } from "../check/refuse.ts";
import type { Bytes } from "./events/event_end.ts";

/**
 * What {@linkcode fromWebTransport} takes: a `WebTransportBidirectionalStream`, or a
 * `Deno.QuicBidirectionalStream`.
 */
export interface WebTransportStream {
  /** What the peer sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is sent to the peer. */
  readonly writable: WritableStream<Uint8Array>;
}

/** What can close a session: a `WebTransport`, or a `Deno.QuicConn`. */
export interface WebTransportSession {
  /**
   * Closes it, and every stream of it.
   *
   * @param info What the peer is told.
   */
  close(info: { closeCode: number; reason: string }): void;
}

/** Options of {@linkcode fromWebTransport}. */
export interface WebTransportOptions {
  /**
   * The stream's session, which is closed when the stream's join fails. Set it only if no other stream uses
   * the session. On Deno 2.9, where a stream cannot be reset, the peer sees a failure by this alone.
   */
  session?: WebTransportSession;
}

const ACTION = "make an end of a WebTransport stream";

/**
 * Makes an end of a WebTransport stream, or of a QUIC stream of Deno's.
 *
 * The end of one direction is a FIN, a failure resets both: with the code of the error where that is
 * the platform's own `WebTransportError`, else with 0. So a code passes through a {@linkcode join} of
 * two such streams, and `signal.abort(new WebTransportError(…))` sends one.
 *
 * On Deno 2.9 a WebTransport stream sends neither a FIN nor a reset
 * ([deno#36822](https://github.com/denoland/deno/issues/36822)): its `halfClose` is `"receive"`, and its
 * peer learns of no end before that of the session. A `Deno.QuicBidirectionalStream` sends a FIN, but
 * one after a failure as well: see the option `session`. Keep the session there as long as its streams:
 * Deno closes one that nothing refers to any more.
 *
 * @param stream The stream, neither half of it locked; the end has it from here on.
 * @param options What to close with it.
 * @returns A pair of streams: those of the stream, byte streams where the platform has them.
 * @throws {TypeError} If it is no such stream, or half of it is locked.
 *
 * @example
 * ```ts ignore
 * import { fromWebTransport } from "@webstreams/join/webtransport";
 *
 * const end = fromWebTransport(await session.createBidirectionalStream());
 * ```
 */
export function fromWebTransport(
  stream: WebTransportStream,
  options: WebTransportOptions = {},
): Pair {
  const { readable, writable } = checked(stream);
  const session = options?.session;
  if (session !== undefined && !isFunction(session, "close")) {
    refuse(ACTION, "session", "must have a close()", session);
  }
  const backing = backingOf(writable);
  return {
    readable: readable as ReadableStream<Bytes>,
    writable: writable as WritableStream<Bytes>,
    halfClose: backing?.autoClose === false ? "receive" : true,
    // The standard has bytes copied before a write settles. A polyfill may do otherwise.
    consumesOnWrite: backing !== undefined || isPlatforms(stream),
    close(reason?: unknown) {
      if (reason !== undefined) session?.close({ closeCode: codeOf(reason), reason: "" });
    },
  };
}

function checked(stream: unknown): WebTransportStream {
  const { readable, writable } = (isObject(stream) ? stream : {}) as Partial<WebTransportStream>;
  const hint = hintFor(stream);
  if (hint !== undefined || !isReadable(readable) || !isWritable(writable)) {
    const rule = `must be a WebTransportBidirectionalStream${hint ?? ""}`;
    refuse(ACTION, "stream", rule, stream);
  }
  for (const [name, { locked }] of Object.entries({ readable, writable })) {
    if (locked) refuse(ACTION, name, "must not be locked", stream);
  }
  return { readable, writable } as WebTransportStream;
}

/** What was meant by something near a stream. */
function hintFor(value: unknown): string | undefined {
  if (isFunction(value, "then")) return ", awaited";
  if (isFunction(value, "createBidirectionalStream")) {
    return ", opened with createBidirectionalStream()";
  }
  if (isReadable(value) || isWritable(value)) return ": for one half alone use pipe()";
  if (isFunction(value, "read")) return ": a Go-style end needs no adapter";
  if (isObject(value) && "maxDatagramSize" in value) return ", no datagrams";
}

/** The code that an error carries, as a stream's reset would send it. */
function codeOf(reason: unknown): number {
  const code = isObject(reason) && (reason as { streamErrorCode?: unknown }).streamErrorCode;
  return typeof code === "number" ? code : 0;
}

function isPlatforms(stream: unknown): boolean {
  return Object.prototype.toString.call(stream) === "[object WebTransportBidirectionalStream]";
}

/**
 * How Deno ties a stream to its resource. Without `autoClose`, closing or aborting the stream leaves
 * the resource as it is: that is why no FIN is sent (deno#36822), and ends where that does.
 */
function backingOf(stream: object): { autoClose?: unknown } | undefined {
  const key = Object.getOwnPropertySymbols(stream)
    .find(({ description }) => description === "[[resourceBacking]]");
  return key && (stream as Record<symbol, { autoClose?: unknown }>)[key];
}
