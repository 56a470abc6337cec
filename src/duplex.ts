// Public: `duplex()`.

import { assertHalf } from "./check/end.ts";
import type { Conn, Pair, Reader, Writer } from "./ends.ts";
import { isReadable, isWritable } from "./check/kinds.ts";
import { assertKnown, refuse } from "./check/refuse.ts";
import { readNext } from "./core/pending_reads.ts";
import { readableFrom, writableFrom } from "./core/streams.ts";

const ACTION = "make a duplex";

/** Options of {@linkcode duplex}. */
export interface DuplexOptions {
  /**
   * Closes the end, in place of the `close` and the `abort` of its Go-style halves. Called once; later calls get the
   * result of the first. A half-close still ends the writable half.
   *
   * @param reason The error, after a failure.
   */
  close?(reason?: unknown): unknown;
}

/**
 * Makes one end of two halves, each a stream or Go-style. The end half-closes by the `closeWrite` of a Go-style
 * half, or else by closing the writable half.
 *
 * Two Go-style halves make a Go-style end, any other two a pair of streams. Without the option `close`, closing the
 * end closes its Go-style halves; {@linkcode join} ends the streams themselves.
 *
 * @typeParam R The chunks that come out.
 * @typeParam W The chunks that go in.
 * @param readable The half to read: a `ReadableStream` or something with `read`.
 * @param writable The half to write: a `WritableStream` or something with `write`.
 * @param options What closes the end.
 * @returns An end for {@linkcode join}.
 * @throws {TypeError} If a half is of neither kind, or an option is unknown or of the wrong type.
 *
 * @example A child process as an end
 * ```ts
 * import { duplex, join, memoryPair } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const child = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
 * const [user, end] = memoryPair();
 * const joined = join(end, duplex(child.stdout, child.stdin));
 *
 * const writer = user.writable.getWriter();
 * await writer.write(new TextEncoder().encode("meow"));
 * await writer.close();
 * assertEquals(await new Response(user.readable).text(), "meow");
 * await joined;
 * await child.status;
 * ```
 */
export function duplex<R, W>(
  readable: ReadableStream<R>,
  writable: WritableStream<W>,
  options?: DuplexOptions,
): Pair<R, W>;
/**
 * Makes a Go-style end of two Go-style halves.
 *
 * @param readable The half to read.
 * @param writable The half to write.
 * @param options What closes the end.
 * @returns A Go-style end.
 */
export function duplex(readable: Reader, writable: Writer, options?: DuplexOptions): Conn;
/**
 * Makes an end of halves of different kinds, or of kinds that are not known before it runs.
 *
 * @param readable The half to read.
 * @param writable The half to write.
 * @param options What closes the end.
 * @returns A pair of streams; a Go-style end if both halves are Go-style.
 */
export function duplex<R, W>(
  readable: ReadableStream<R> | Reader,
  writable: WritableStream<W> | Writer,
  options?: DuplexOptions,
): Pair<R, W> | Conn;
export function duplex(
  readable: ReadableStream<unknown> | Reader,
  writable: WritableStream<unknown> | Writer,
  options?: DuplexOptions,
): Pair<unknown, unknown> | Conn {
  assertHalf(ACTION, "readable", readable, "read");
  assertHalf(ACTION, "writable", writable, "write");
  assertKnown(ACTION, options ?? {}, ["close"]);
  const close = options?.close;
  if (close !== undefined && typeof close !== "function") {
    refuse(ACTION, "close", "must be a function", close);
  }
  const closeReader = once(() => isReadable(readable) ? undefined : readable.close?.());
  const closeWriter = Object.is(readable, writable)
    ? closeReader
    : once(() => isWritable(writable) ? undefined : writable.close?.());
  const closeEnd = once((reason?: unknown) =>
    close ? close(reason) : all(closeReader, closeWriter)
  );
  const reader = isReadable(readable) ? undefined : {
    read: (p: Uint8Array<ArrayBuffer>) => readNext(readable, p),
    close: () => close ? undefined : closeReader(),
  };
  const writer = isWritable(writable) ? undefined : {
    write: (p: Uint8Array<ArrayBuffer>) => writable.write(p),
    closeWrite: () => writable.closeWrite ? writable.closeWrite() : closeWriter(),
    abort: (reason: unknown) =>
      close ? undefined : writable.abort ? writable.abort(reason) : closeWriter(),
  };
  if (reader && writer) {
    return {
      ...reader,
      ...writer,
      close: () => closeEnd(),
      abort: (reason) => close ? closeEnd(reason) : all(closeReader, () => writer.abort(reason)),
    };
  }
  return {
    readable: isReadable(readable) ? readable : readableFrom(reader!),
    writable: isWritable(writable) ? writable : writableFrom(writer!),
    consumesOnWrite: writer !== undefined,
    close: closeEnd,
  };
}

/** Starts every action, even if another throws; rejects with the first failure, without waiting for the rest. */
function all(...actions: (() => unknown)[]): Promise<unknown> {
  return Promise.all(actions.map(async (action) => await action()));
}

/** Calls `action` once, with the arguments of the first call; every call gives that result, or throws that error. */
function once<A extends unknown[]>(
  action: (...args: A) => unknown,
): (...args: A) => unknown {
  let outcome: (() => unknown) | undefined;
  return (...args) => {
    outcome ??= outcomeOf(() => action(...args));
    return outcome();
  };
}

/** Runs `action`, and gives what returns, or throws, what that did. */
function outcomeOf(action: () => unknown): () => unknown {
  try {
    const result = action();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
