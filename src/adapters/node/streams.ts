// Public: `fromNodeReadable()` and `fromNodeWritable()`.

import { bytesToWrite } from "../../check/bytes.ts";
import { isFunction } from "../../check/kinds.ts";
import { refuse } from "../../check/refuse.ts";
import type { Bytes } from "../events/event_end.ts";
import { breakOff } from "./duplex.ts";
import type { NodeReadable, NodeWritable } from "./like.ts";

type Listeners = Record<string, (...args: unknown[]) => void>;

/** Adds listeners until the stream closes; an `error` without a listener would end the process. */
function listen(stream: Pick<NodeReadable, "on" | "off">, listeners: Listeners): void {
  const close = listeners.close;
  const all: Listeners = {
    ...listeners,
    close() {
      close?.();
      for (const [event, listener] of Object.entries(all)) {
        // The `error` that a stream was destroyed with may come after its `close`.
        if (event !== "error") stream.off(event, listener);
      }
    },
  };
  for (const [event, listener] of Object.entries(all)) stream.on(event, listener);
}

function closedEarly(): Error {
  const error = new Error("The stream was closed before its end");
  return Object.assign(error, { code: "ERR_STREAM_PREMATURE_CLOSE" });
}

/**
 * Makes a `ReadableStream` of a `stream.Readable` of bytes, as of a file, an HTTP message, standard input, the output
 * of a child process, or `node:zlib`.
 *
 * The `stream.Readable` is read by its own `read()`, without `toWeb`, whenever the `ReadableStream` is read; up to
 * its `highWaterMark` of bytes waits in its own buffer. If it is closed before its end, as the message of a client
 * that has left, the `ReadableStream` fails: that is no end of file. Cancelling the `ReadableStream` destroys it. An
 * `IncomingMessage` that is destroyed takes its connection along, with a reset where that can be had, and so the
 * response: to send a response nonetheless, use `preventCancel` of `pipe`.
 *
 * @param readable The stream, which nobody else may read from here on.
 * @returns The bytes of the stream, for `pipe`, or for `duplex` as its first half.
 * @throws {TypeError} If `readable` is no readable stream of Node's, or does not yield bytes.
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
  let isOver = false;
  let wake: (() => void) | undefined;
  return new ReadableStream<Bytes>({
    start(controller) {
      const settle = (how: () => void) => {
        if (!isOver) how();
        isOver = true;
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
      while (!isOver) {
        const chunk = readable.read();
        if (chunk) return controller.enqueue(chunk);
        if (!isOver) await new Promise<void>((resolve) => wake = resolve);
      }
    },
    cancel(reason) {
      isOver = true;
      wake?.();
      // A Duplex is the other half of the end, too, and a message shares a connection with it: after a failure the
      // peer must see a reset.
      if (reason === undefined) readable.destroy();
      else breakOff(readable, reason);
    },
  }, { highWaterMark: 0 });
}

/**
 * Makes a `WritableStream` of a `stream.Writable` of bytes, as of a file, the response of an HTTP server, the request
 * of an HTTP client, the input of a child process, or `node:zlib`.
 *
 * A write settles when the `stream.Writable` calls back; a close, when it emits `finish`. If it is closed before,
 * as the response to a client that leaves, the `WritableStream` fails at once, and a pipe to it cancels its source.
 * Aborting the `WritableStream` destroys it: a message of HTTP/1 with a reset of its connection where that can be
 * had, a message of HTTP/2 with INTERNAL_ERROR, so that the peer does not take a part for the whole.
 *
 * @param writable The stream, which nobody else may write to from here on.
 * @returns A stream that writes to `writable`, for `pipe`, or for `duplex` as its second half.
 * @throws {TypeError} If `writable` is no writable stream of Node's, has been ended, or does not take bytes.
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
  let isOver = false;
  // Settle the write or close that is under way, as an HTTP message that is closed does not call back.
  let waiting: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  const wait = (start: () => void) =>
    new Promise<void>((resolve, reject) => {
      waiting = { resolve, reject };
      start();
    });
  return new WritableStream<Bytes>({
    start(controller) {
      const fail = (error: unknown) => {
        if (isOver) return;
        isOver = true;
        waiting?.reject(error);
        controller.error(error);
      };
      if (writable.destroyed) return fail(writable.errored ?? closedEarly());
      const { signal } = controller;
      // The `abort` of an underlying sink is called only after a pending write has settled, which may be never.
      signal.addEventListener("abort", () => {
        isOver = true;
        waiting?.reject(signal.reason);
        breakOff(writable, signal.reason);
      });
      listen(writable, {
        error: fail,
        close: () => fail(closedEarly()),
        finish() {
          isOver = true;
          waiting?.resolve();
        },
      });
    },
    write(chunk) {
      const bytes = bytesToWrite(chunk);
      return wait(() => {
        const { resolve, reject } = waiting!;
        // After a reset Deno 2.9 calls back with ECANCELED; the reset itself is in `errored`.
        writable.write(bytes, (error) => error ? reject(writable.errored ?? error) : resolve());
      });
    },
    close: () => wait(() => writable.end()),
  });
}
