/**
 * Ends of sockets of WinterTC's Sockets API, as Workers have them, and of Direct Sockets.
 *
 * @example A Worker that relays TCP to TCP, on workerd
 * ```ts ignore
 * import { join } from "@webstreams/join";
 * import { fromSocket } from "@webstreams/join/socket";
 * import { connect } from "cloudflare:sockets";
 *
 * const allowHalfOpen = true;
 *
 * export default {
 *   async connect(client: Socket): Promise<void> {
 *     const upstream = connect("127.0.0.1:5900", { allowHalfOpen });
 *     await join(fromSocket(client, { allowHalfOpen }), fromSocket(upstream, { allowHalfOpen }));
 *   },
 * };
 * ```
 *
 * @module
 */
import { bytesToWrite } from "../check/bytes.ts";
import { isFunction, isReadable, isWritable } from "../check/kinds.ts";
import type { Pair } from "../ends.ts";
import { assertKnown, refuse } from "../check/refuse.ts";
import type { Bytes } from "./events/event_end.ts";

/** The two streams of a socket. Their types are loose, as those of a runtime may differ from the DOM's. */
export interface SocketStreams {
  /** What the peer sends: a `ReadableStream` of bytes. */
  readonly readable: { readonly locked: boolean; getReader(): unknown };
  /** What is sent to the peer: a `WritableStream` of bytes. */
  readonly writable: { readonly locked: boolean; getWriter(): unknown };
}

/**
 * What {@linkcode fromSocket} takes: a `Socket` of the Sockets API, or a socket with its streams in `opened` alone, as
 * a `TCPSocket` of Direct Sockets.
 */
export interface SocketLike extends Partial<SocketStreams> {
  /** Fulfils once the socket is connected, with the streams if the socket has none; rejects if connecting fails. */
  readonly opened?: Promise<unknown>;
  /** Fulfils once the socket is closed. Not relied on: a platform may never settle it, or fulfil it after a reset. */
  readonly closed?: Promise<unknown>;
  /** Closes the socket; may refuse while a stream of the socket is locked. */
  close(): unknown;
}

/** Options of {@linkcode fromSocket}. */
export interface SocketOptions {
  /**
   * The `allowHalfOpen` that the socket was made with. Without it, a platform closes `writable` when the peer has
   * ended, so that the end cannot half-close. The socket itself does not tell.
   *
   * @default {false} As in the Sockets API; `true` for a socket whose streams are in `opened`.
   */
  allowHalfOpen?: boolean;
}

const ACTION = "make an end of a socket";
/** By the name that the runtime gives itself. */
const WORKERD = globalThis.navigator?.userAgent === "Cloudflare-Workers";
/** Bytes of the memory for a read whose caller brings no memory. */
const READ_BYTES = 64 * 1024;

/** The locked streams of a socket that is connected. */
interface Opened {
  /** Whether the reader reads into memory of the caller. */
  readonly byob: boolean;
  readonly reader: ReadableStreamGenericReader & {
    read(view?: Bytes): Promise<ReadableStreamReadResult<Bytes>>;
    releaseLock(): void;
  };
  readonly writer: WritableStreamDefaultWriter<Bytes>;
}

/**
 * Makes an end of a socket: of workerd's `connect()` or inbound `connect` handler, of anything else with the Sockets
 * API, or of a `TCPSocket` of Direct Sockets.
 *
 * The socket may still be connecting: if that fails, a read and a write fail with the error of `opened`. The end closes
 * the socket by its `close()`, with its streams unlocked. To use TLS, pass the socket that `startTls()` returns.
 * workerd cannot reset a connection: the peer of a failed join sees a clean end.
 *
 * @param socket The socket, with no stream locked; it belongs to the end from here on.
 * @param options What the socket was made with.
 * @returns A pair of streams, which can half-close only with `allowHalfOpen`.
 * @throws {TypeError} If `socket` is no such socket or has a locked stream, or there is an unknown option.
 *
 * @example With a package that has the API, on Node 26 or Deno
 * ```ts
 * import { connect } from "@arrowood.dev/socket";
 * import { fromSocket } from "@webstreams/join/socket";
 * import { assertEquals } from "@std/assert";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const greeted = listener.accept().then(async (conn) => {
 *   await conn.write(new TextEncoder().encode("hello"));
 *   conn.close();
 * });
 *
 * const { port } = listener.addr as Deno.NetAddr;
 * const end = fromSocket(connect({ hostname: "127.0.0.1", port }, { allowHalfOpen: false }));
 * assertEquals(await new Response(end.readable).text(), "hello");
 * await end.close?.();
 * await greeted;
 * ```
 */
export function fromSocket(socket: SocketLike, options: SocketOptions = {}): Pair {
  assertKnown(ACTION, options, ["allowHalfOpen"]);
  const { opened, closed, readable, writable }: Partial<SocketLike> = Object(socket);
  const opensLater = readable === undefined && writable === undefined;
  const { allowHalfOpen = opensLater } = options;
  if (typeof allowHalfOpen !== "boolean") {
    refuse(ACTION, "allowHalfOpen", "must be a boolean", allowHalfOpen);
  }
  const streams = { readable, writable };
  if (
    !isFunction(socket, "close") || !(opensLater ? isFunction(opened, "then") : isStreams(streams))
  ) {
    const hint = isFunction(socket, "then") ? ", awaited" : "";
    refuse(ACTION, "socket", `must be one of the Sockets API, or of Direct Sockets${hint}`, socket);
  }
  if (readable?.locked || writable?.locked) {
    refuse(ACTION, "socket", "must not have a locked stream", socket);
  }
  // A rejection tells no more than the streams, which fail as well.
  Promise.resolve(closed).catch(() => {});
  return new SocketEnd(socket, isStreams(streams) ? streams : undefined, allowHalfOpen);
}

/** Two streams over those of the socket, which may not be there yet. */
class SocketEnd implements Pair {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<Bytes>;
  readonly halfClose: boolean;
  // workerd copies a chunk that is written.
  readonly consumesOnWrite = WORKERD;
  readonly #socket: SocketLike;
  readonly #opening: Promise<Opened>;
  #opened?: Opened;
  #isClosed = false;

  constructor(socket: SocketLike, streams: Pair | undefined, halfClose: boolean) {
    this.#socket = socket;
    this.halfClose = halfClose;
    this.#opened = streams && lock(streams);
    this.#opening = this.#open();
    let reading!: ReadableByteStreamController;
    let writing!: WritableStreamDefaultController;
    this.readable = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        reading = controller;
      },
      pull: (controller) => this.#pull(controller),
      cancel: (reason) => this.#opened?.reader.cancel(reason),
    }) as ReadableStream<Bytes>;
    this.writable = new WritableStream({
      start: (controller) => {
        writing = controller;
        // The `abort` of an underlying sink waits for a pending write. A stream of workerd's (2026-11) that is
        // aborted stays open until its request is over, whatever closes it.
        controller.signal.addEventListener("abort", () => {
          const { writer } = this.#opened ?? {};
          const { reason } = controller.signal;
          // A failure of this is no news: the reason of the abort has been told.
          (WORKERD ? writer?.close() : writer?.abort(reason))?.catch(() => {});
        });
      },
      write: async (chunk) => await (await this.#opening).writer.write(bytesToWrite(chunk)),
      close: async () => await (await this.#opening).writer.close(),
    });
    // Both streams fail if connecting fails. A later failure of `writer` is reported although nobody writes.
    this.#opening.catch((error) => reading.error(error));
    this.#opening.then(({ writer }) => writer.closed)
      .catch((error) => this.#isClosed || writing.error(error));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#opened?.reader.releaseLock();
    this.#opened?.writer.releaseLock();
    await this.#socket.close();
  }

  async #open(): Promise<Opened> {
    const streams = await this.#socket.opened;
    if (this.#isClosed) {
      // A socket of Direct Sockets refuses to be closed while it is connecting.
      await this.#socket.close();
      throw new Error("The end has been closed");
    }
    if (this.#opened) return this.#opened;
    if (!isStreams(streams)) {
      refuse(ACTION, "opened", "must fulfil with 'readable' and 'writable'", streams);
    }
    return this.#opened = lock(streams);
  }

  async #pull(controller: ReadableByteStreamController): Promise<void> {
    const { byob, reader } = await this.#opening;
    const request = controller.byobRequest;
    const asked = request?.view as Bytes | undefined;
    // workerd answers no request with a part of a buffer, nor one whose reader has gone meanwhile.
    const lent = byob && !WORKERD ? asked : undefined;
    const view = byob ? lent ?? new Uint8Array(asked?.length ?? READ_BYTES) : undefined;
    const { done, value } = await reader.read(view);
    if (done) controller.close();
    if (lent) request!.respondWithNewView(value!);
    else if (done) controller.byobRequest?.respond(0);
    else controller.enqueue(bytesToWrite(value));
  }
}

function isStreams(value: unknown): value is Pair {
  const { readable, writable }: Partial<Record<"readable" | "writable", unknown>> = Object(value);
  return isReadable(readable) && isWritable(writable);
}

function lock({ readable, writable }: Pair): Opened {
  const writer = writable.getWriter();
  try {
    return { byob: true, reader: readable.getReader({ mode: "byob" }) as Opened["reader"], writer };
  } catch {
    // The readable is no byte stream.
    return { byob: false, reader: readable.getReader(), writer };
  }
}
