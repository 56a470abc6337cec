// Public: `fromNodeReadable()` and `fromNodeWritable()`.

import { bytesToWrite } from "../../check/bytes.ts";
import { isFunction } from "../../check/kinds.ts";
import { refuse } from "../../check/refuse.ts";
import type { Bytes } from "../events/event_end.ts";
import { breakOff } from "./duplex.ts";

/** What {@linkcode fromNodeReadable} takes: the part of a `stream.Readable` that it uses. */
export interface NodeReadable {
  /** Whether it has been destroyed. */
  readonly destroyed: boolean;
  /** Whether `end` has been emitted. */
  readonly readableEnded: boolean;
  /** Whether it yields something other than bytes. */
  readonly readableObjectMode: boolean;
  /** The encoding that makes it yield strings. */
  readonly readableEncoding: string | null;
  /** What it was destroyed with. */
  readonly errored?: Error | null;
  /** Gives what is there, or `null`. */
  read(): unknown;
  /** Adds a listener. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Removes a listener. */
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Closes it. */
  destroy(error?: Error): unknown;
}

/** What {@linkcode fromNodeWritable} takes: the part of a `stream.Writable` that it uses. */
export interface NodeWritable {
  /** Whether it has been destroyed. */
  readonly destroyed?: boolean;
  /** Whether `end()` has been called. */
  readonly writableEnded: boolean;
  /** Whether it takes something other than bytes. */
  readonly writableObjectMode?: boolean;
  /** What it was destroyed with. */
  readonly errored?: Error | null;
  /** Queues bytes; calls back once they have been dealt with. */
  write(chunk: Uint8Array, callback: (error?: Error | null) => void): unknown;
  /** Ends it once all that was written has been dealt with. */
  end(): unknown;
  /** Adds a listener. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Removes a listener. */
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Closes it. */
  destroy(error?: Error): unknown;
}

type Listeners = Record<string, (...args: unknown[]) => void>;

/** Adds them; removes them when it closes, as nobody else may hear a failure. */
function listen(to: Pick<NodeReadable, "on" | "off">, listeners: Listeners): void {
  const close = listeners.close;
  const all: Listeners = {
    ...listeners,
    close() {
      close?.();
      for (const [event, listener] of Object.entries(all)) {
        // What is destroyed with an error may tell of it last.
        if (event !== "error") to.off(event, listener);
      }
    },
  };
  for (const [event, listener] of Object.entries(all)) to.on(event, listener);
}

function closedEarly(): Error {
  const error = new Error("The stream was closed before its end");
  return Object.assign(error, { code: "ERR_STREAM_PREMATURE_CLOSE" });
}

/**
 * Makes a `ReadableStream` of a `stream.Readable` of bytes: a file's, an HTTP message, standard input, the
 * output of a child process, what comes out of `node:zlib`.
 *
 * It is read by its own `read()`, no `toWeb`, when somebody asks: what waits is in its own buffer, up to
 * its `highWaterMark`. If it is closed before its end, as the message of a client that has left, that is a
 * failure and no end of file. Cancelling the stream destroys it; an `IncomingMessage` takes its connection
 * along, with a reset where it can, and so the response: who wants to send one uses `preventCancel` of `pipe`.
 *
 * @param readable The stream; nobody else reads it from here on.
 * @returns Its bytes, for `pipe`, or for `duplex` as its first half.
 * @throws {TypeError} If it is no readable stream of Node's, or does not yield bytes.
 *
 * @example
 * ```ts
 * import { pipe } from "@webstreams/join";
 * import { fromNodeReadable, fromNodeWritable } from "@webstreams/join/node";
 * import { createReadStream, createWriteStream } from "node:fs";
 * import { assertEquals } from "@std/assert";
 *
 * const file = await Deno.makeTempFile();
 * await Deno.writeTextFile(file, "hello");
 * const copy = createWriteStream(`${file}.copy`);
 * const { bytes } = await pipe(fromNodeReadable(createReadStream(file)), fromNodeWritable(copy));
 * assertEquals(bytes, 5);
 * ```
 */
export function fromNodeReadable(readable: NodeReadable): ReadableStream<Uint8Array<ArrayBuffer>> {
  const action = "make a ReadableStream";
  if (!["on", "off", "read", "destroy"].every((name) => isFunction(readable, name))) {
    refuse(action, "readable", "must be a stream.Readable", readable);
  }
  if (readable.readableObjectMode || typeof readable.readableEncoding === "string") {
    refuse(action, "readable", "must yield bytes, not objects or strings", readable);
  }
  let over = false;
  let wake: (() => void) | undefined;
  return new ReadableStream<Bytes>({
    start(controller) {
      const settle = (how: () => void) => {
        if (!over) how();
        over = true;
        wake?.();
      };
      const fail = (error: unknown) => settle(() => controller.error(error));
      const end = () => settle(() => controller.close());
      if (readable.readableEnded) return end();
      if (readable.destroyed) return fail(readable.errored ?? closedEarly());
      listen(readable, {
        readable: () => wake?.(),
        end,
        error: fail,
        close: () => fail(closedEarly()),
      });
    },
    async pull(controller) {
      while (!over) {
        const chunk = readable.read() as Bytes | null;
        if (chunk) return controller.enqueue(chunk);
        if (!over) await new Promise<void>((resolve) => wake = resolve);
      }
    },
    cancel(reason) {
      over = true;
      wake?.();
      // It may be the other half as well, or share its connection, and that is to be reset.
      if (reason === undefined) readable.destroy();
      else breakOff(readable, reason);
    },
  }, { highWaterMark: 0 });
}

/**
 * Makes a `WritableStream` of a `stream.Writable` of bytes: a file's, the response of an HTTP server, a
 * request of a client, the input of a child process, what goes into `node:zlib`.
 *
 * A write has settled once it calls back; a close, once it has `finish`ed. If it is closed before,
 * as the response to a client that leaves, the stream fails at once, and a pipe to it cancels its source.
 * Aborting the stream destroys it, an HTTP/1 message with a reset of its connection where it can, a message
 * of HTTP/2 with INTERNAL_ERROR: so that its peer does not take what it has got for all there is.
 *
 * @param writable The stream; nobody else writes to it from here on.
 * @returns What takes its bytes, for `pipe`, or for `duplex` as its second half.
 * @throws {TypeError} If it is no writable stream of Node's, has been ended, or does not take bytes.
 *
 * @example
 * ```ts
 * import { pipe } from "@webstreams/join";
 * import { fromNodeWritable } from "@webstreams/join/node";
 * import { createServer } from "node:http";
 * import { assertEquals } from "@std/assert";
 *
 * const server = createServer((_request, response) => {
 *   pipe(new Blob(["hello"]).stream(), fromNodeWritable(response)).catch(console.error);
 * }).listen(0, "127.0.0.1");
 * await new Promise((resolve) => server.once("listening", resolve));
 * const { port } = server.address() as { port: number };
 *
 * const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
 * assertEquals(await response.text(), "hello");
 * await new Promise((resolve) => server.close(resolve));
 * ```
 */
export function fromNodeWritable(writable: NodeWritable): WritableStream<Uint8Array<ArrayBuffer>> {
  const action = "make a WritableStream";
  if (!["on", "off", "write", "end", "destroy"].every((name) => isFunction(writable, name))) {
    refuse(action, "writable", "must be a stream.Writable", writable);
  }
  if (writable.writableObjectMode) {
    refuse(action, "writable", "must take bytes, not objects", writable);
  }
  if (writable.writableEnded) refuse(action, "writable", "must not have been ended", writable);
  let over = false;
  // Of a write or a close that is under way: an HTTP message that is closed does not call back.
  let waiting: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  const wait = (start: () => void) =>
    new Promise<void>((resolve, reject) => {
      waiting = { resolve, reject };
      start();
    });
  return new WritableStream<Bytes>({
    start(controller) {
      const fail = (error: unknown) => {
        if (over) return;
        over = true;
        waiting?.reject(error);
        controller.error(error);
      };
      if (writable.destroyed) return fail(writable.errored ?? closedEarly());
      const { signal } = controller;
      // Its sink's `abort` would be called after the write that waits, which may be never.
      signal.addEventListener("abort", () => {
        over = true;
        waiting?.reject(signal.reason);
        breakOff(writable, signal.reason);
      });
      listen(writable, {
        error: fail,
        close: () => fail(closedEarly()),
        finish() {
          over = true;
          waiting?.resolve();
        },
      });
    },
    write(chunk) {
      const bytes = bytesToWrite(chunk);
      return wait(() => {
        const { resolve, reject } = waiting!;
        // Deno 2.9 says ECANCELED of what a reset has ended.
        writable.write(bytes, (error) => error ? reject(writable.errored ?? error) : resolve());
      });
    },
    close: () => wait(() => writable.end()),
  });
}
