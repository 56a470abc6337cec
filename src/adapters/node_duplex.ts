// Public: the type of a Node stream. What checks one is for `node.ts` alone.

import { refuse } from "../errors.ts";

/** What {@linkcode fromNodeSocket} takes: the part of a `stream.Duplex` that it uses. */
export interface NodeDuplex {
  /** Whether it ends its writing by itself when the peer ends; set to `true` here. */
  allowHalfOpen: boolean;
  /** Whether it has been destroyed. */
  readonly destroyed: boolean;
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
