// Public: the type of a Node stream. What checks one is for `node.ts` alone.

import { setImmediate } from "node:timers";
import { refuse } from "../../check/refuse.ts";

/** Whether it is neither Deno nor Bun. */
export const isNode: boolean = !("Deno" in globalThis || "Bun" in globalThis);

/** What {@linkcode fromNodeSocket} takes: the part of a `stream.Duplex` that it uses. */
export interface NodeDuplex {
  /** Whether it ends its writing by itself when the peer ends; set to `true` here. */
  allowHalfOpen: boolean;
  /** Whether it has been destroyed. */
  readonly destroyed: boolean;
  /** What has destroyed it, if anything has. */
  readonly errored?: Error | null;
  /** Whether `end` has been emitted. */
  readonly readableEnded: boolean;
  /** Whether it yields something other than bytes. */
  readonly readableObjectMode: boolean;
  /** The encoding that makes it yield strings. */
  readonly readableEncoding: string | null;
  /** Whether `end()` has been called. */
  readonly writableEnded: boolean;
  /** Whether `finish` has been emitted. */
  readonly writableFinished: boolean;
  /** A `net.Socket` has this: whether its connection is under way. */
  readonly connecting?: boolean;
  /** A `tls.TLSSocket` has this: whether a handshake is under way, or was never told of. */
  readonly secureConnecting?: boolean;
  /** A `tls.TLSSocket` has this: the peer's last message of the handshake, once it has come. */
  getPeerFinished?(): unknown;
  /** A stream of HTTP/2 has this: the code that it was closed with. */
  readonly rstCode?: number;
  /** A stream of HTTP/2 has this: whether it was reset before its end. */
  readonly aborted?: boolean;
  /** Adds a listener. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Those that have been added. */
  listeners?(event: string): readonly { readonly name: string }[];
  /** Removes a listener. */
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Stops the delivery of `data`. */
  pause(): unknown;
  /** Resumes it. */
  resume(): unknown;
  /** Turns Nagle's algorithm off, or on: a `net.Socket` has this. */
  setNoDelay?(noDelay?: boolean): unknown;
  /** Bytes that wait to be sent. */
  readonly writableLength: number;
  /** Bytes from which on they are too many. */
  readonly writableHighWaterMark: number;
  /** What the system has of a `net.Socket`, on Node. */
  readonly _handle?: {
    /** Tells the peer's address: 0, or why it cannot. */
    getpeername?(address: object): number;
    /** Reads on. */
    readStart?(): unknown;
  } | null;
  /** Hands bytes to the system; a `net.Socket`'s is replaced. */
  _write?(chunk: unknown, encoding: string, callback: (error?: Error | null) => void): void;
  /** Queues bytes; calls back once they have been sent, or have failed, which `error` tells as well. */
  write(chunk: Uint8Array, callback?: (error?: Error | null) => void): unknown;
  /** Ends the writing once all that was written has been sent. */
  end(callback?: (error?: Error | null) => void): unknown;
  /** Closes it. */
  destroy(error?: Error): unknown;
  /** Closes it with a reset: a `net.Socket` has this. */
  resetAndDestroy?(): unknown;
}

/** Refuses what is none, or nothing that can be an end. */
export function assertNodeDuplex(action: string, socket: NodeDuplex): void {
  const methods = ["on", "off", "pause", "resume", "write", "end", "destroy"] as const;
  if (!methods.every((name) => typeof socket?.[name] === "function")) {
    refuse(action, "socket", "must be a stream.Duplex", socket);
  }
  // Those that `ws` puts on what it makes: nothing else tells.
  if (hears(socket, "end", "duplexOnEnd") && hears(socket, "error", "duplexOnError")) {
    const rule =
      "must not be of createWebSocketStream(): use fromWebSocket() with the WebSocket itself";
    refuse(action, "socket", rule, socket);
  }
  if (socket.readableObjectMode || typeof socket.readableEncoding === "string") {
    refuse(action, "socket", "must yield bytes, not objects or strings", socket);
  }
}

function hears(socket: NodeDuplex, event: string, name: string): boolean {
  return socket.listeners?.(event).some((listener) => listener.name === name) === true;
}

/** What has failed, by the system call; Bun's says `read` of a write, too (1.4), but a read has no EPIPE. */
export function sideOf(error: unknown): "read" | "write" {
  const { syscall, code } = Object(error);
  return syscall === "write" || syscall === "shutdown" || code === "EPIPE" ? "write" : "read";
}

/** Calls back after a whole turn of the event loop, whichever phase it is in. */
function inTurn(call: () => void, phases = 3): void {
  if (phases === 0) call();
  else setImmediate(() => inTurn(call, phases - 1));
}

/**
 * Calls back if an end of file is one. Node 20 and 22 take a reset right behind data for one (libuv before 1.52
 * at POLLHUP, if the last read was short), which the next read tells: it fails, and an `error` is emitted. Once
 * our own writing has ended there is nothing to tell it by.
 */
export function whenEnded(socket: NodeDuplex, ended: () => void): void {
  const { _handle: handle, writableEnded, secureConnecting } = socket;
  const unsure = isNode && !writableEnded && secureConnecting === undefined;
  // A connection whose peer alone has ended has an address of it.
  if (!unsure || !handle?.readStart || !handle.getpeername?.({})) return ended();
  handle.readStart();
  inTurn(() => socket.destroyed || ended());
}

/**
 * The failure of a stream of HTTP/2 that was reset: with CANCEL or NO_ERROR it ends as if that were all
 * (Node 20 to 26).
 */
export function resetOf(socket: NodeDuplex): Error | undefined {
  if (!("rstCode" in socket)) return undefined;
  const { rstCode, aborted } = socket;
  if (!rstCode && !aborted) return undefined;
  const error = new Error(`The HTTP/2 stream was reset with the code ${rstCode}`);
  return Object.assign(error, { code: "ECONNRESET", rstCode });
}

/**
 * Fulfils when a reset can be had, if that takes a turn. While the system ends the writing, libuv does not reset
 * a socket (`uv_tcp_close_reset`), and Node forgets it then, open as it is (26.12). And one that is connecting may
 * be connected, with that yet to be told: to destroy it would look like an end.
 */
export function whenResettable(socket: NodeDuplex): Promise<void> | undefined {
  const { connecting, writableEnded, writableFinished, writableLength } = socket;
  const ends = writableEnded && !writableFinished && writableLength === 0;
  // A TLS socket is never reset.
  const resets = socket.resetAndDestroy !== undefined && socket.secureConnecting === undefined;
  if (!resets || socket.destroyed || !connecting && !ends) return;
  return new Promise((resolve) => {
    for (const event of ["connect", "finish", "close"]) socket.on(event, () => resolve());
    // There may be nobody to connect to.
    if (connecting) inTurn(resolve);
  });
}

/** What {@linkcode connectNodeSocket} adds to the options of a connection. */
export interface NodeReadOptions {
  /** Whether the socket stays open for writing when the peer has ended; always `true`. */
  allowHalfOpen: boolean;
  /** Memory that the socket reads into, and what it calls with it; set on Node alone. */
  onread?: {
    /** Returns the memory for the next read. */
    buffer(): Uint8Array;
    /** Takes the bytes read, the first `bytesRead` of `memory`. Returns whether to read on. */
    callback(bytesRead: number, memory: Uint8Array): boolean;
  };
}

type Write = NonNullable<NodeDuplex["_write"]>;

/** One for all sockets that write alike. */
const replaced = new WeakMap<Write, Write>();

/**
 * Tells of a failed write instead of the socket, which would be destroyed by it, and with it what its peer
 * has sent before and nobody has read: its last word.
 *
 * @param takes Whether the socket need not hear of it: then it can be read on.
 */
export function hearFailedWrites(
  socket: NodeDuplex,
  takes: (socket: NodeDuplex, error: Error) => boolean,
): void {
  const { _write } = socket;
  if (!_write) return;
  let write = replaced.get(_write);
  if (!write) {
    write = function (this: NodeDuplex, chunk, encoding, callback) {
      _write.call(this, chunk, encoding, (error) => {
        if (!error || !takes(this, error)) callback(error);
      });
    };
    replaced.set(_write, write);
  }
  socket._write = write;
}

/** What can be broken off: any stream of Node's, or a message of HTTP around one. */
interface Breakable {
  /** A stream of HTTP/2 has this: the code that it was closed with. */
  readonly rstCode?: number;
  /** A message of HTTP/2 has this. */
  readonly stream?: Breakable;
  /** A message of HTTP/1 has this. */
  readonly socket?: { resetAndDestroy?(): unknown } | null;
  resetAndDestroy?(): unknown;
  destroy(error?: Error): unknown;
}

/** Closes it so that its peer sees a failure. */
export function breakOff(broken: Breakable, reason: unknown): void {
  const http2 = [broken, broken.stream].find((stream) => stream && "rstCode" in stream);
  if (http2) {
    // Without an error it sends NO_ERROR, and its `close(code)` a clean end before the code (Node 20 to 26).
    http2.destroy(reason instanceof Error ? reason : new Error("It was broken off"));
    return;
  }
  try {
    (broken.resetAndDestroy ? broken : broken.socket)?.resetAndDestroy?.();
  } catch {
    // A TLS or Unix socket has the method and refuses it.
  }
  broken.destroy();
}
