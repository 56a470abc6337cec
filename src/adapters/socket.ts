/**
 * Ends of the sockets of WinterTC's Sockets API, as those of Workers, and of Direct Sockets.
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
import { isFunction, isObject, isReadable, isWritable } from "../check/kinds.ts";
import type { Pair } from "../ends.ts";
import { assertKnown, refuse } from "../check/refuse.ts";
import type { Bytes } from "./events/event_end.ts";

/** The two streams of a socket, by whatever types: a runtime's own are none of the DOM's. */
export interface SocketStreams {
  /** What the peer sends: a `ReadableStream` of bytes. */
  readonly readable: { readonly locked: boolean; getReader(): unknown };
  /** What is sent to the peer: a `WritableStream` of bytes. */
  readonly writable: { readonly locked: boolean; getWriter(): unknown };
}

/**
 * What {@linkcode fromSocket} takes: a `Socket` of the Sockets API, or what has its streams in `opened`
 * alone, as a `TCPSocket` of Direct Sockets.
 */
export interface SocketLike extends Partial<SocketStreams> {
  /** Fulfils once it is connected: with the streams, if the socket has none; rejects if it fails. */
  readonly opened?: Promise<unknown>;
  /** Not waited for: a platform may never settle it, or fulfil it after a reset. */
  readonly closed?: Promise<unknown>;
  /** Closes it; may refuse while one of the streams is locked. */
  close(): unknown;
}

/** Options of {@linkcode fromSocket}. */
export interface SocketOptions {
  /**
   * What the socket was made with: without it, a platform closes `writable` when the peer has ended, so
   * that it cannot half-close. Nothing on the socket tells.
   *
   * @default {false} as that of the Sockets API; `true` for a socket whose streams are in `opened`
   */
  allowHalfOpen?: boolean;
}

const ACTION = "make an end of a socket";
/** As the Sockets API has a runtime call itself. */
const WORKERD = globalThis.navigator?.userAgent === "Cloudflare-Workers";
/** For a reader that brings no memory. */
const READ_SIZE = 64 * 1024;

/** What is read by the caller's memory where the platform can, and written. */
interface Opened {
  readonly byob: boolean;
  readonly reader: ReadableStreamGenericReader & {
    read(view?: Bytes): Promise<ReadableStreamReadResult<unknown>>;
    releaseLock(): void;
  };
  readonly writer: WritableStreamDefaultWriter<Bytes>;
}

/**
 * Makes an end of a socket: of workerd's `connect()`, or of its inbound `connect` handler, of what else
 * has the Sockets API, or of a `TCPSocket` of Direct Sockets.
 *
 * It may still be connecting: if that fails, a read and a write do, with the error of `opened`. It is
 * closed by its own `close()`, its streams unlocked. To use TLS from here on, hand over what `startTls()`
 * gives. workerd cannot reset: the peer of a failed join sees a clean end.
 *
 * @param socket The socket, no stream of it locked; the end has it from here on.
 * @param options What it was made with.
 * @returns A pair of streams; it half-closes with `allowHalfOpen` alone.
 * @throws {TypeError} If it is no such socket, a stream of it is locked, or an option is none.
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
  const { opened, closed, readable, writable } = Object(socket) as Partial<SocketLike>;
  const later = readable === undefined && writable === undefined;
  const { allowHalfOpen = later } = options;
  if (typeof allowHalfOpen !== "boolean") {
    refuse(ACTION, "allowHalfOpen", "must be a boolean", allowHalfOpen);
  }
  const streams = { readable, writable };
  if (!isFunction(socket, "close") || !(later ? isFunction(opened, "then") : isStreams(streams))) {
    const hint = isFunction(socket, "then") ? ", awaited" : "";
    refuse(ACTION, "socket", `must be one of the Sockets API, or of Direct Sockets${hint}`, socket);
  }
  if (readable?.locked || writable?.locked) {
    refuse(ACTION, "socket", "must not have a locked stream", socket);
  }
  // It rejects with what its streams fail with.
  Promise.resolve(closed).catch(() => {});
  return new SocketEnd(socket, later ? undefined : streams as SocketStreams, allowHalfOpen);
}

/** Two streams over those of the socket, which may not be there yet. */
class SocketEnd implements Pair {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<Bytes>;
  readonly halfClose: boolean;
  // workerd copies what it is to write.
  readonly consumesOnWrite = WORKERD;
  readonly #socket: SocketLike;
  readonly #opening: Promise<Opened>;
  #opened?: Opened;
  #closed = false;

  constructor(socket: SocketLike, streams: SocketStreams | undefined, halfClose: boolean) {
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
        // The stream's own abort would wait for a write. workerd's (2026-11) that is aborted stays open
        // until its request is over, whatever closes it.
        controller.signal.addEventListener("abort", () => {
          const { writer } = this.#opened ?? {};
          const { reason } = controller.signal;
          // The reason has told already what fails here.
          (WORKERD ? writer?.close() : writer?.abort(reason))?.catch(() => {});
        });
      },
      write: async (chunk) => await (await this.#opening).writer.write(bytesToWrite(chunk)),
      close: async () => await (await this.#opening).writer.close(),
    });
    // Its failure is that of both; later ones of its writing are heard of although nobody writes.
    this.#opening.catch((error) => reading.error(error));
    this.#opening.then(({ writer }) => writer.closed)
      .catch((error) => this.#closed || writing.error(error));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#opened?.reader.releaseLock();
    this.#opened?.writer.releaseLock();
    await this.#socket.close();
  }

  async #open(): Promise<Opened> {
    const streams = await this.#socket.opened;
    if (this.#closed) {
      // Direct Sockets refuse to be closed any earlier.
      await this.#socket.close();
      throw new Error("The end has been closed");
    }
    if (!this.#opened && !isStreams(streams)) {
      refuse(ACTION, "opened", "must fulfil with 'readable' and 'writable'", streams);
    }
    return this.#opened ??= lock(streams as SocketStreams);
  }

  async #pull(controller: ReadableByteStreamController): Promise<void> {
    const { byob, reader } = await this.#opening;
    const request = controller.byobRequest;
    const asked = request?.view as Bytes | undefined;
    // workerd answers with a buffer of another length if it is given a part of one.
    const whole = asked?.length === asked?.buffer.byteLength;
    const size = asked?.length ?? READ_SIZE;
    const view = byob ? whole && asked || new Uint8Array(size) : undefined;
    const { done, value } = await reader.read(view);
    if (done) controller.close();
    if (view && view === asked) request!.respondWithNewView(value as Bytes);
    else if (done) controller.byobRequest?.respond(0);
    else controller.enqueue(bytesToWrite(value));
  }
}

function isStreams(value: unknown): value is SocketStreams {
  const { readable, writable } = (isObject(value) ? value : {}) as Partial<SocketStreams>;
  return isReadable(readable) && isWritable(writable);
}

function lock(streams: SocketStreams): Opened {
  const { readable, writable } = streams as Pair;
  const writer = writable.getWriter();
  try {
    return { byob: true, reader: readable.getReader({ mode: "byob" }) as Opened["reader"], writer };
  } catch {
    // It is no byte stream.
    return { byob: false, reader: readable.getReader(), writer };
  }
}
