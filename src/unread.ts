import { assertEnd } from "./assert_end.ts";
import { type Conn, type End, isConn, type Pair } from "./ends.ts";
import { bytesOf } from "./bytes.ts";
import { refuse } from "./errors.ts";

/**
 * Gives an end that yields `bytes` first, and then what `end` sends: for what was read too far, as the
 * head of an HTTP CONNECT or Upgrade request, a TLS SNI or a PROXY header.
 *
 * A pair's `readable` is locked at once; the returned end takes the place of `end`.
 *
 * @typeParam E The kind of end.
 * @param end The end that was read from.
 * @param bytes What was read; copied, so that it stays the caller's.
 * @returns An end of the same kind.
 * @throws {TypeError} If `end` is none or has a locked stream, or `bytes` are none.
 *
 * @example Put back what was peeked at
 * ```ts
 * import { memoryPair, unread } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, end] = memoryPair();
 * const writer = client.writable.getWriter();
 * await writer.write(new TextEncoder().encode("GET / HTTP/1.1"));
 * await writer.close();
 *
 * const reader = end.readable.getReader();
 * const { value } = await reader.read();
 * reader.releaseLock();
 *
 * const whole = unread(end, value!);
 * assertEquals(await new Response(whole.readable).text(), "GET / HTTP/1.1");
 * ```
 */
export function unread(end: Conn, bytes: ArrayBufferView | ArrayBuffer): Conn;
/**
 * For a pair of streams.
 *
 * @typeParam R The chunks that come out.
 * @typeParam W The chunks that go in.
 * @param end The end that was read from.
 * @param bytes What was read.
 * @returns A pair of streams.
 */
export function unread<R extends Uint8Array, W>(
  end: Pair<R, W>,
  bytes: ArrayBufferView | ArrayBuffer,
): Pair<R, W>;
export function unread<W>(
  end: End<Uint8Array, W>,
  bytes: ArrayBufferView | ArrayBuffer,
): End<Uint8Array, W> {
  assertEnd("unread", "end", end);
  const head = bytesOf(bytes)?.slice();
  if (head === undefined) refuse("unread", "bytes", "must be an ArrayBuffer or a view", bytes);
  return isConn(end) ? unreadConn(end, head) : unreadPair(end, head);
}

function unreadPair<W>(
  end: Pair<Uint8Array, W>,
  head: Uint8Array<ArrayBuffer>,
): Pair<Uint8Array, W> {
  const { writable, halfClose, consumesOnWrite } = end;
  return {
    readable: end.readable.pipeThrough(
      new TransformStream({ start: (controller) => controller.enqueue(head) }),
    ),
    writable,
    halfClose,
    consumesOnWrite,
    close: (reason) => end.close?.(reason),
  };
}

function unreadConn(end: Conn, head: Uint8Array<ArrayBuffer>): Conn {
  let rest = head;
  return {
    read(p) {
      if (rest.length === 0) return end.read(p);
      const taken = rest.subarray(0, p.length);
      p.set(taken);
      rest = rest.subarray(taken.length);
      return taken.length;
    },
    write: (p) => end.write(p),
    close: () => end.close(),
    ...end.halfClose !== undefined && { halfClose: end.halfClose },
    ...end.closeWrite && { closeWrite: () => end.closeWrite!() },
    ...end.abort && { abort: (reason: unknown) => end.abort!(reason) },
  };
}
