// Public: the types of ends.

/** What a Go-style `read` or `write` gives: a result or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/** A Go-style source, as `Deno.Reader`: what {@linkcode pipe} can read besides a `ReadableStream`. */
export interface Reader {
  /**
   * Reads up to `p.byteLength` bytes into `p`, which belongs to the reader until the read settles.
   *
   * @param p Where to put the bytes.
   * @returns How many were read, or `null` at the end of file.
   */
  read(p: Uint8Array<ArrayBuffer>): Awaitable<number | null>;
  /** Closes it, after a failed write. */
  close?(): unknown;
}

/** A Go-style sink, as `Deno.Writer`: what {@linkcode pipe} can write besides a `WritableStream`. */
export interface Writer {
  /**
   * Writes bytes of `p`, which belongs to the writer until the write settles, and no longer.
   *
   * @param p The bytes.
   * @returns How many of them were written, at least 1; the rest is written by a further call.
   */
  write(p: Uint8Array<ArrayBuffer>): Awaitable<number>;
  /** Ends the writing alone: the peer reads an end of file. */
  closeWrite?(): unknown;
  /** Closes it. */
  close?(): unknown;
  /** Closes it so that the peer sees a failure, where the platform can show one. */
  abort?(reason: unknown): unknown;
}

/**
 * A Go-style end, as `Deno.Conn`. Without `closeWrite` it cannot half-close: as a `Deno.FsFile`, it is
 * closed when both directions have ended, and its own end of file ends that direction alone.
 */
export interface Conn extends Reader, Writer {
  /**
   * Whether the end can half-close, as {@linkcode Pair.halfClose} says; `false` if its end of file ends both
   * directions, so that nothing can be written to it any more.
   *
   * @default {true} `"receive"` without `closeWrite`
   */
  readonly halfClose?: boolean | "receive";
  /** Turns Nagle's algorithm off, or on: {@linkcode join} calls it with `true`. */
  setNoDelay?(noDelay: boolean): unknown;
  /** Closes the whole end. */
  close(): unknown;
}

/**
 * A pair of streams, as a `WebTransportBidirectionalStream`, a `TransformStream` or what
 * {@linkcode duplex} returns.
 *
 * @typeParam R The chunks that come out.
 * @typeParam W The chunks that go in.
 */
export interface Pair<R = Uint8Array<ArrayBuffer>, W = Uint8Array<ArrayBuffer>> {
  /**
   * What the end sends us. A byte stream is read by its BYOB reader if the other end says
   * `consumesOnWrite`, and on Deno if it is Go-style; else by its default reader, as `pipeTo` does it.
   */
  readonly readable: ReadableStream<R>;
  /** What we send the end. */
  readonly writable: WritableStream<W>;
  /**
   * Whether the end can half-close.
   *
   * - `true`: closing `writable` leaves `readable` open, and the peer reads an end of file.
   * - `"receive"`: closing `writable` closes the whole end, but the peer can half-close, and still be written to
   *   afterwards.
   * - `false`: an end of file from either side ends both directions.
   *
   * @default {true}
   */
  readonly halfClose?: boolean | "receive";
  /**
   * Whether a chunk's memory may be reused once `writer.write()` of it has settled. Never set it for a stream
   * that queues chunks, as a `TransformStream` does: it would write overwritten bytes.
   *
   * @default {false}
   */
  readonly consumesOnWrite?: boolean;
  /** It is no {@linkcode MessagePair}. */
  readonly messages?: false;
  /** Called once when the end is done with: with the reason after a failure. */
  close?(reason?: unknown): unknown;
}

/** What WebSockets carry: a text, or bytes. */
export type Message = string | Uint8Array<ArrayBuffer>;

/**
 * A pair whose chunks are messages, as `fromWebSocket(socket, { messages: true })` gives: {@linkcode join}
 * hands each on whole, and counts what it carries, a text as UTF-8. Bytes have no bounds to keep, so one of
 * these is joined to no other kind of end. Who means to do so says what becomes of a message, by a pair of
 * their own of its two streams.
 *
 * @typeParam R The chunks that come out.
 * @typeParam W The chunks that go in.
 */
export interface MessagePair<R = Message, W = Message> extends Omit<Pair<R, W>, "messages"> {
  /** Tells it from any other pair. */
  readonly messages: true;
}

/**
 * One of the two things that {@linkcode join} connects. An object with both `read` and `write`
 * functions is Go-style, whatever else it has: of a `Deno.TcpConn` the two streams are never touched.
 */
export type End<R = Uint8Array<ArrayBuffer>, W = Uint8Array<ArrayBuffer>> = Pair<R, W> | Conn;
