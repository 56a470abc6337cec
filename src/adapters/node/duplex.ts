// What to know of Node's streams besides their documentation; for the files of the Node adapter alone.

import { readSync } from "node:fs";
import process from "node:process";
import { setImmediate } from "node:timers";
import { refuse } from "../../check/refuse.ts";
import type { NodeDuplex } from "./like.ts";

/** Whether the runtime is Node itself, neither Deno nor Bun. */
export const isNode: boolean = !("Deno" in globalThis || "Bun" in globalThis);

/** Whether libuv is older than 1.52, as in Node 20 and 22. */
const isLibuvOld = isNode && /^1\.([0-4]?\d|5[01])\./.test(process.versions.uv ?? "");

/** Refuses what is no `stream.Duplex` of bytes. */
export function assertNodeDuplex(action: string, socket: NodeDuplex): void {
  const methods = ["on", "off", "pause", "resume", "write", "end", "destroy"] as const;
  if (!methods.every((name) => typeof socket?.[name] === "function")) {
    refuse(action, "socket", "must be a stream.Duplex", socket);
  }
  // Only the listeners that `ws` adds tell its streams from any other.
  if (hasListener(socket, "end", "duplexOnEnd") && hasListener(socket, "error", "duplexOnError")) {
    const rule =
      "must not be of createWebSocketStream(): use fromWebSocket() with the WebSocket itself";
    refuse(action, "socket", rule, socket);
  }
  if (socket.readableObjectMode || typeof socket.readableEncoding === "string") {
    refuse(action, "socket", "must yield bytes, not objects or strings", socket);
  }
}

function hasListener(socket: NodeDuplex, event: string, name: string): boolean {
  return socket.listeners?.(event).some((listener) => listener.name === name) === true;
}

/**
 * The half that an error belongs to, by its system call. Bun 1.4 says `read` of a failed write as well, but no read
 * fails with EPIPE.
 */
export function sideOf(error: unknown): "read" | "write" {
  const { syscall, code } = Object(error);
  return syscall === "write" || syscall === "shutdown" || code === "EPIPE" ? "write" : "read";
}

/** Calls back after a whole turn of the event loop, whichever phase the loop is in. */
function afterTurn(call: () => void, phases = 3): void {
  if (phases === 0) call();
  else setImmediate(() => afterTurn(call, phases - 1));
}

/**
 * The error of a reset right behind data, which an old libuv has taken for an end of file (at POLLHUP, if the last read
 * was short). One more read tells, of TLS as well.
 */
export function resetTakenForEnd({ _handle: handle }: NodeDuplex): Error | undefined {
  // TCP alone has peers with an address, and shows it as long as the peer has neither reset it nor got our end.
  if (!isLibuvOld || !handle?.fd || !handle.getpeername?.({})) return undefined;
  try {
    readSync(handle.fd, new Uint8Array(1));
  } catch (error) {
    if (Object(error).code === "ECONNRESET") return error as Error;
  }
}

/**
 * The failure of a stream of HTTP/2 that was reset; `undefined` for any other stream. A stream that was reset with
 * CANCEL or NO_ERROR emits `end` as if it were complete (Node 20 to 26).
 */
export function http2ResetOf(socket: NodeDuplex): Error | undefined {
  if (!("rstCode" in socket)) return undefined;
  const { rstCode, aborted } = socket;
  if (!rstCode && !aborted) return undefined;
  const error = new Error(`The HTTP/2 stream was reset with the code ${rstCode}`);
  return Object.assign(error, { code: "ECONNRESET", rstCode });
}

/**
 * Fulfils when a socket can be reset; `undefined` if that is now. While the system sends our end of writing, libuv
 * does not reset (`uv_tcp_close_reset`), and Node forgets the socket and leaves it open (26.12). And a socket that is
 * connecting may be connected without knowing it yet: to destroy it would show the peer a clean end.
 */
export function whenResettable(socket: NodeDuplex): Promise<void> | undefined {
  const { connecting, writableEnded, writableFinished, writableLength } = socket;
  const isEnding = writableEnded && !writableFinished && writableLength === 0;
  // A TLS socket cannot be reset at all.
  const isResettable = socket.resetAndDestroy !== undefined &&
    socket.secureConnecting === undefined;
  if (!isResettable || socket.destroyed || !connecting && !isEnding) return;
  return new Promise((resolve) => {
    for (const event of ["connect", "finish", "close"]) socket.on(event, () => resolve());
    // The connection attempt may last for minutes if nobody answers.
    if (connecting) afterTurn(resolve);
  });
}

type Write = NonNullable<NodeDuplex["_write"]>;

/** The replacement of each `_write`: one for all sockets that share it. */
const replacements = new WeakMap<Write, Write>();

/**
 * Intercepts the failure of a write before it destroys the socket, and with it what its peer has sent before and
 * nobody has read: its last word.
 *
 * @param onFailedWrite Returns whether to keep the failure from the socket, which can be read on then.
 */
export function interceptFailedWrites(
  socket: NodeDuplex,
  onFailedWrite: (socket: NodeDuplex, error: Error) => boolean,
): void {
  const { _write } = socket;
  if (!_write) return;
  let write = replacements.get(_write);
  if (!write) {
    write = function (this: NodeDuplex, chunk, encoding, callback) {
      _write.call(this, chunk, encoding, (error) => {
        if (!error || !onFailedWrite(this, error)) callback(error);
      });
    };
    replacements.set(_write, write);
  }
  socket._write = write;
}

/** What can be broken off: any stream of Node's, or a message of HTTP around a stream. */
interface Breakable {
  /** Of a stream of HTTP/2: the code that it was closed with. */
  readonly rstCode?: number;
  /** The stream of a message of HTTP/2. */
  readonly stream?: Breakable;
  /** The socket of a message of HTTP/1. */
  readonly socket?: { resetAndDestroy?(): unknown } | null;
  resetAndDestroy?(): unknown;
  destroy(error?: Error): unknown;
}

/** Closes a stream so that its peer sees a failure. */
export function breakOff(breakable: Breakable, reason: unknown): void {
  const http2 = [breakable, breakable.stream].find((stream) => stream && "rstCode" in stream);
  if (http2) {
    // Without an error it sends NO_ERROR, and its `close(code)` a clean end before the code (Node 20 to 26).
    http2.destroy(reason instanceof Error ? reason : new Error("The stream was broken off"));
    return;
  }
  try {
    (breakable.resetAndDestroy ? breakable : breakable.socket)?.resetAndDestroy?.();
  } catch {
    // A TLS or Unix socket has the method and refuses it.
  }
  breakable.destroy();
}
