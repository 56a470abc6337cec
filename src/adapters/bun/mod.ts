/**
 * Ends of Bun's own sockets: those of `Bun.listen` and `Bun.connect`, over TCP, Unix sockets and TLS; and
 * what writes to its files and child processes, by {@linkcode fromBunSink}.
 *
 * Bun tells a socket's events to the handlers it was made with, so an end needs two things: these
 * {@linkcode handlers}, and {@linkcode fromBunSocket}. Sockets of `node:net` go through
 * `@webstreams/join/node`.
 *
 * @example A TCP relay on Bun
 * ```ts ignore
 * import { join } from "@webstreams/join";
 * import { fromBunSocket, handlers } from "@webstreams/join/bun";
 *
 * Bun.listen({
 *   hostname: "127.0.0.1",
 *   port: 9000,
 *   allowHalfOpen: true,
 *   socket: {
 *     ...handlers,
 *     async open(socket) {
 *       const client = fromBunSocket(socket);
 *       const upstream = await Bun.connect({
 *         hostname: "127.0.0.1",
 *         port: 9001,
 *         allowHalfOpen: true,
 *         socket: handlers,
 *       });
 *       const { aToB, bToA } = await join(client, fromBunSocket(upstream));
 *       console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
 *     },
 *   },
 * });
 * ```
 *
 * @module
 */
import type { Pair } from "../../ends.ts";
import { refuse } from "../../check/refuse.ts";
import { type Bytes, EventEnd } from "../events/event_end.ts";

export * from "./sink.ts";

/** What {@linkcode fromBunSocket} takes: the part of a Bun `Socket` that it uses. */
export interface BunSocket {
  /** Above 0 as long as it is open. */
  readonly readyState: number;
  /** Sends bytes: how many it took, -1 if it has been closed. */
  write(bytes: Uint8Array): number;
  /** Ends the writing. */
  shutdown(): void;
  /** Closes it. */
  close(): void;
  /** Closes it with a reset. */
  terminate(): void;
  /** Stops the delivery of `data`. */
  pause(): void;
  /** Resumes it. */
  resume(): void;
  /** What TLS has agreed on, with a name once the handshake is done; TCP gives `undefined`. */
  getCipher?(): { readonly name: string | null } | undefined;
}

/** What {@linkcode handlers} is: the part of Bun's `SocketHandler` that an end needs. */
export interface BunHandlers {
  /** As what bytes come. */
  readonly binaryType: "uint8array";
  /** Bytes have come. */
  data(socket: BunSocket, bytes: Uint8Array): void;
  /** There is room for more. */
  drain(socket: BunSocket): void;
  /** The peer has ended its writing. */
  end(socket: BunSocket): void;
  /** It is closed. */
  close(socket: BunSocket, error?: Error): void;
}

const ACTION = "make an end of a Bun socket";

/** Where a socket keeps its end; its `data` is its owner's. */
const END = Symbol("end");

interface Socket extends BunSocket {
  [END]?: BunEnd;
}

/**
 * The handlers that an end relies on: give them to `Bun.listen` or `Bun.connect` as they are, or spread
 * them into your own, which may add `open`, `handshake`, `error` and the like.
 *
 * What a peer sends before {@linkcode fromBunSocket} is called is kept: up to a few hundred KiB in
 * memory, all else with the peer, as the socket is paused then.
 */
export const handlers: BunHandlers = {
  binaryType: "uint8array",
  data(socket: Socket, bytes) {
    (socket[END] ??= new BunEnd(socket)).onData(bytes);
  },
  drain: (socket: Socket) => socket[END]?.onDrain(),
  end: (socket) => endOf(socket).onEnd(),
  close: (socket: Socket, error) => (error ? endOf(socket) : socket[END])?.onClose(error),
};

/**
 * Makes an end of a socket of `Bun.listen` or `Bun.connect` that was made with {@linkcode handlers}.
 *
 * Make it with `allowHalfOpen: true` as well: otherwise Bun closes a socket whose peer has ended, and
 * what is still to be written to it fails. A failed join resets the connection. Small writes do not wait
 * for each other: Bun has that so for all of its sockets, and `socket.setNoDelay(false)` changes it.
 *
 * @param socket The socket; the end has it from here on. Each call gives the same end.
 * @returns A pair of streams, half-closing.
 * @throws {TypeError} If it is no Bun socket, or has been closed and left nothing to tell.
 *
 * @example
 * ```ts ignore
 * import { fromBunSocket, handlers } from "@webstreams/join/bun";
 *
 * const server = Bun.listen({
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   socket: { open: (socket) => void socket.end("hello") },
 * });
 * const socket = await Bun.connect({
 *   hostname: "127.0.0.1",
 *   port: server.port,
 *   allowHalfOpen: true,
 *   socket: handlers,
 * });
 *
 * const { readable, writable } = fromBunSocket(socket);
 * console.log(await new Response(readable).text()); // hello
 * await writable.close();
 * server.stop();
 * ```
 */
export function fromBunSocket(socket: BunSocket): Pair {
  if (
    typeof socket?.write !== "function" || typeof socket.shutdown !== "function" ||
    typeof socket.terminate !== "function" || typeof socket.resume !== "function"
  ) {
    refuse(ACTION, "socket", "must be one of Bun.listen() or Bun.connect()", socket);
  }
  const { readyState } = socket;
  if ((readyState === 0 || readyState === -1) && !(socket as Socket)[END]) {
    refuse(ACTION, "socket", "must not be closed", socket);
  }
  const end = endOf(socket);
  end.claimed = true;
  return end;
}

function endOf(socket: Socket): BunEnd {
  return socket[END] ??= new BunEnd(socket);
}

/** What is smaller than this is cheaper left to the garbage collector. */
const SMALLEST_FREED_BYTES = 16 * 1024;

class BunEnd extends EventEnd {
  override readonly consumesOnWrite = true;
  /** Whether it has been asked for. */
  claimed = false;
  readonly #socket: Socket;
  /** A closed one does not tell. */
  readonly #isTls: boolean;
  /** The last write was short: there is room again after `drain`. */
  #short = false;
  #peerEnded = false;
  /** A write has failed, and taken a reset's error from the socket: it looks as if its peer had ended. */
  #refusal?: Error;
  /** Our FIN must wait for the TLS handshake. */
  #finishesLater = false;
  /** Our FIN is out, and the peer's will show as a close without an end (TCP, Unix; Bun 1.4). */
  #closesAtEnd = false;

  constructor(socket: Socket) {
    // Paused from its start, a TLS socket with a `handshake` handler would never open (Bun 1.4).
    super(false);
    this.#socket = socket;
    this.#isTls = socket.getCipher?.() !== undefined;
  }

  onData(bytes: Uint8Array | ArrayBuffer): void {
    // Its owner may have asked for another `binaryType`.
    this.received(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes as Bytes);
  }

  /** Freed at once, the next chunk gets the same memory, which is still in the cache. */
  spent({ buffer, length }: Bytes): void {
    if (length >= SMALLEST_FREED_BYTES) buffer.transfer?.(0);
  }

  onDrain(): void {
    this.#short = false;
    if (this.#finishesLater) this.finish();
    this.drained();
  }

  onEnd(): void {
    this.#peerEnded = true;
    if (this.#refusal) return this.failed(this.#refusal);
    this.ended();
  }

  onClose(error?: Error): void {
    // What it has still to tell can still be asked for.
    if (this.claimed || !error && !this.#peerEnded) this.#socket[END] = undefined;
    if (error || !this.#peerEnded && !this.#closesAtEnd) {
      return this.failed(error ?? this.#onClosed());
    }
    // A write that waits for room fails now.
    this.onDrain();
    this.ended();
    this.finished();
  }

  /** Bun 1.4 tells no more than this of TLS that is not trusted, or cut after our own end. */
  #onClosed(): Error {
    return this.#isTls
      ? Object.assign(new Error("The TLS connection has failed"), { code: "EPROTO" })
      : new Error("The socket was closed before its end");
  }

  protected override get congested(): boolean {
    return this.#short;
  }

  protected override send(bytes: Bytes): number {
    const taken = this.#socket.write(bytes);
    this.#short = taken < bytes.length;
    if (taken >= 0) return taken;
    const error = new Error("The socket takes no more: it has been reset, closed or shut down");
    if (this.#peerEnded || this.#socket.readyState <= 0) {
      this.failed(error, "write");
    } else {
      // What it has received comes yet.
      this.#refusal = error;
      this.writeFailed(error);
    }
    throw error;
  }

  protected override finish(): void {
    const cipher = this.#socket.getCipher?.();
    // A FIN would break the handshake off (Bun 1.4): until it is done, the cipher has no name.
    this.#finishesLater = cipher?.name === null;
    if (this.#finishesLater) return;
    this.#closesAtEnd = !cipher;
    this.#socket.shutdown();
    this.finished();
  }

  protected override shut(): void {
    this.#socket.close();
  }

  protected override reset(): void {
    this.#socket.terminate();
  }

  protected override pause(): void {
    this.#socket.pause();
  }

  protected override resume(): void {
    this.#socket.resume();
  }
}
