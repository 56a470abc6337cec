/**
 * Ends of WebTransport streams, in browsers and on Deno, and of Deno's QUIC streams.
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
   * Closes the session, and all of its streams.
   *
   * @param info What the peer is told.
   */
  close(info: { closeCode: number; reason: string }): void;
}

/** Options of {@linkcode fromWebTransport}. */
export interface WebTransportOptions {
  /**
   * The session of the stream, to be closed when the join of the stream fails. Set this only if no other stream uses
   * the session. On Deno 2.9, where a stream cannot be reset, the peer sees a failure only by this.
   */
  session?: WebTransportSession;
}

const ACTION = "make an end of a WebTransport stream";

/**
 * Makes an end of a WebTransport stream, or of a QUIC stream of Deno's.
 *
 * The end of file of one direction is a FIN. A failure resets both directions: with the code of the error if the
 * error is the platform's own `WebTransportError`, else with 0. So a code passes through a {@linkcode join} of
 * two WebTransport streams, and `controller.abort(new WebTransportError(…))` sends a code.
 *
 * On Deno 2.9 a WebTransport stream sends neither a FIN nor a reset
 * ([deno#36822](https://github.com/denoland/deno/issues/36822)): the end's `halfClose` is `"receive"`, and the peer
 * sees no end of file before the session is closed. A `Deno.QuicBidirectionalStream` sends a FIN, but also after a
 * failure: see the option `session`. On Deno, keep a reference to the session as long as its streams are used: Deno
 * closes a session that nothing refers to.
 *
 * @param stream The stream, with neither half locked; it belongs to the end from here on.
 * @param options What to close with the stream.
 * @returns A pair of the two streams of `stream`, which are byte streams where the platform has such.
 * @throws {TypeError} If `stream` is no bidirectional stream, or half of it is locked.
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
    readable,
    writable,
    halfClose: backing?.autoClose === false ? "receive" : true,
    // By the standard, bytes are copied before a write settles. A polyfill may do otherwise.
    consumesOnWrite: backing !== undefined || isOfPlatform(stream),
    close(reason?: unknown) {
      if (reason !== undefined) session?.close({ closeCode: codeOf(reason), reason: "" });
    },
  };
}

function checked(stream: unknown): Pair {
  const { readable, writable }: Partial<Record<"readable" | "writable", unknown>> = Object(stream);
  const hint = hintFor(stream);
  if (hint !== undefined || !isReadable(readable) || !isWritable(writable)) {
    const rule = `must be a WebTransportBidirectionalStream${hint ?? ""}`;
    refuse(ACTION, "stream", rule, stream);
  }
  for (const [name, { locked }] of Object.entries({ readable, writable })) {
    if (locked) refuse(ACTION, name, "must not be locked", stream);
  }
  return { readable, writable } as Pair;
}

/** What to do with a value that is close to a stream; `undefined` if it may be a stream. */
function hintFor(value: unknown): string | undefined {
  if (isFunction(value, "then")) return ", awaited";
  if (isFunction(value, "createBidirectionalStream")) {
    return ", opened with createBidirectionalStream()";
  }
  if (isReadable(value) || isWritable(value)) return ": for one half alone use pipe()";
  if (isFunction(value, "read")) return ": a Go-style end needs no adapter";
  if (isObject(value) && "maxDatagramSize" in value) return ", no datagrams";
}

/** The code of an error, as a reset of a stream would send it. */
function codeOf(reason: unknown): number {
  const { streamErrorCode }: { streamErrorCode?: unknown } = Object(reason);
  return typeof streamErrorCode === "number" ? streamErrorCode : 0;
}

function isOfPlatform(stream: unknown): boolean {
  return Object.prototype.toString.call(stream) === "[object WebTransportBidirectionalStream]";
}

/**
 * How Deno ties a stream to its resource; `undefined` on other platforms. Without `autoClose`, closing or aborting
 * the stream does not touch the resource: so no FIN is sent, until deno#36822 is mended.
 */
function backingOf(stream: object): { autoClose?: unknown } | undefined {
  const key = Object.getOwnPropertySymbols(stream)
    .find(({ description }) => description === "[[resourceBacking]]");
  return key && (stream as Record<symbol, { autoClose?: unknown }>)[key];
}
