import { assertHalf } from "./assert_end.ts";
import type { Conn, Pair, Reader, Writer } from "./ends.ts";
import { isReadable, isWritable } from "./ends.ts";
import { show } from "./errors.ts";
import { readableFrom, writableFrom } from "./halves.ts";

const ACTION = "Cannot make a duplex";

/** Options of {@linkcode duplex}. */
export interface DuplexOptions {
  /**
   * Called once when the end is done with, however many ask, in the place of closing the two halves:
   * with the reason after a failure.
   */
  close?(reason?: unknown): unknown;
}

/**
 * Puts two halves of either kind together to one end. Closing the writable half is its half-close.
 *
 * Two Go-style halves give a Go-style end, any others a pair of streams. Without `close`, closing
 * the end closes both halves.
 *
 * @typeParam R The chunks that come out.
 * @typeParam W The chunks that go in.
 * @param readable The half to read: a `ReadableStream` or something with `read`.
 * @param writable The half to write: a `WritableStream` or something with `write`.
 * @param options What closes it.
 * @returns An end for {@linkcode join}.
 * @throws {TypeError} If a half is of neither kind.
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
 * Two Go-style halves.
 *
 * @param readable The half to read.
 * @param writable The half to write.
 * @param options What closes it.
 * @returns A Go-style end.
 */
export function duplex(readable: Reader, writable: Writer, options?: DuplexOptions): Conn;
/**
 * A stream and a Go-style half.
 *
 * @param readable The half to read.
 * @param writable The half to write.
 * @param options What closes it.
 * @returns A pair of streams.
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
  const close = options?.close;
  if (close !== undefined && typeof close !== "function") {
    throw new TypeError(
      `${ACTION} as 'close' must be a function: got ${show(close)}`,
    );
  }
  if (!isReadable(readable) && !isWritable(writable)) {
    return new DuplexConn(readable, writable, close);
  }
  return duplexPair(readable, writable, close);
}

/** At least one half is a stream; the other is made one. */
function duplexPair(
  readable: ReadableStream<unknown> | Reader,
  writable: WritableStream<unknown> | Writer,
  close?: (reason?: unknown) => unknown,
): Pair<unknown, unknown> {
  const closeReader = isReadable(readable) ? undefined : once(() => readable.close?.());
  const closeWriter = isWritable(writable) ? undefined : once(() => writable.close?.());
  const closeHalf = closeReader ?? closeWriter;
  return {
    readable: isReadable(readable) ? readable : readableFrom({
      read: (p) => readable.read(p),
      ...!close && { close: closeReader },
    }),
    writable: isWritable(writable) ? writable : writableFrom({
      write: (p) => writable.write(p),
      closeWrite: () => writable.closeWrite ? writable.closeWrite() : closeWriter?.(),
      abort: (reason) =>
        close ? undefined : writable.abort ? writable.abort(reason) : closeWriter?.(),
    }),
    consumesOnWrite: !isWritable(writable),
    close: once((reason?: unknown) => close ? close(reason) : closeHalf?.()),
  };
}

class DuplexConn implements Conn {
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #closeReader: () => unknown;
  readonly #closeWriter: () => unknown;
  readonly #closeBoth?: (reason?: unknown) => unknown;

  constructor(reader: Reader, writer: Writer, close?: (reason?: unknown) => unknown) {
    this.#reader = reader;
    this.#writer = writer;
    this.#closeReader = once(() => reader.close?.());
    this.#closeWriter = Object.is(reader, writer)
      ? this.#closeReader
      : once(() => writer.close?.());
    this.#closeBoth = close && once(close);
  }

  read(p: Uint8Array<ArrayBuffer>) {
    return this.#reader.read(p);
  }

  write(p: Uint8Array<ArrayBuffer>) {
    return this.#writer.write(p);
  }

  closeWrite(): unknown {
    return this.#writer.closeWrite ? this.#writer.closeWrite() : this.#closeWriter();
  }

  close(): unknown {
    return this.#closeBoth ? this.#closeBoth() : all([this.#closeReader, this.#closeWriter]);
  }

  abort(reason: unknown): unknown {
    if (this.#closeBoth) return this.#closeBoth(reason);
    const abort = () => this.#writer.abort ? this.#writer.abort(reason) : this.#closeWriter();
    return all([this.#closeReader, abort]);
  }
}

/** Runs every action whatever the others do; then throws what the first that failed has thrown. */
async function all(actions: (() => unknown)[]): Promise<void> {
  const results = await Promise.allSettled(actions.map(async (action) => await action()));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** Calls `action` the first time; all callers get what that gave. */
function once<A extends unknown[]>(
  action: (...args: A) => unknown,
): (...args: A) => unknown {
  let called: { result: unknown } | undefined;
  return (...args) => (called ??= { result: action(...args) }).result;
}
