// Public: `unread()`.

import { assertEnd } from "./check/end.ts";
import type { Conn, End, Pair } from "./ends.ts";
import { isConn } from "./check/kinds.ts";
import { bytesOf } from "./check/bytes.ts";
import { refuse } from "./check/refuse.ts";
import { UNREAD } from "./check/marks.ts";
import { UnreadEnd, unreadOf } from "./core/unread_end.ts";
import { readNext } from "./core/pending_reads.ts";

/**
 * Puts bytes that were read too far back in front of an end: returns an end that yields `bytes` first, and
 * then what `end` sends. For the head of an HTTP CONNECT or Upgrade request, a TLS SNI or a PROXY header.
 *
 * A pair's `readable` is locked at once, and the returned end takes the place of `end`. Without bytes, and
 * for an end that `unread` has returned, the returned end is `end` itself.
 *
 * @typeParam E The kind of end.
 * @param end The end that was read from.
 * @param bytes The bytes that were read; copied, so that they stay the caller's.
 * @returns An end of the kind of `end`.
 * @throws {TypeError} If `end` is no end or has a locked stream, or `bytes` is no buffer or view.
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
  if (head.length === 0) return end;
  const unread = unreadOf(end);
  if (unread) {
    unread.putBack(head);
    return end;
  }
  return isConn(end) ? unreadConn(end, head) : unreadPair(end, head);
}

function unreadPair<W>(
  end: Pair<Uint8Array, W>,
  head: Uint8Array<ArrayBuffer>,
): Pair<Uint8Array, W> {
  const { halfClose, consumesOnWrite } = end;
  const unread = new UnreadEnd(end as Pair<unknown, unknown>, head);
  let streams: Pick<Pair<Uint8Array, W>, "readable" | "writable"> | undefined;
  const asStreams = () => {
    if (streams) return streams;
    unread.unlock();
    const readable = readableOf(unread) as ReadableStream<Uint8Array>;
    return streams = { readable, writable: end.writable };
  };
  return {
    get readable() {
      return asStreams().readable;
    },
    get writable() {
      return asStreams().writable;
    },
    halfClose,
    consumesOnWrite,
    close(reason) {
      unread.unlock();
      return end.close?.(reason);
    },
    get [UNREAD]() {
      return streams ? undefined : unread;
    },
  } as Pair<Uint8Array, W>;
}

function unreadConn(end: Conn, head: Uint8Array<ArrayBuffer>): Conn {
  let rest = head;
  return {
    read(p) {
      if (rest.length === 0) return readNext(end, p);
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

/** The pair's readable, behind the bytes that come first, for whoever asks for a stream. */
function readableOf(unread: UnreadEnd): ReadableStream<unknown> {
  const reader = unread.end.readable.getReader();
  let isReading = false;
  let isOver = false;
  let tellState: (() => void) | undefined;
  /** The state of the pair shows without a read, but not before the head has been read. */
  const update = () => {
    if (!tellState || isOver || isReading || unread.head) return;
    isOver = true;
    reader.releaseLock();
    tellState();
  };
  return new ReadableStream({
    start(controller) {
      const close = () => {
        tellState ??= () => controller.close();
        update();
      };
      reader.closed.then(close, (error) => {
        tellState ??= () => controller.error(error);
        update();
      });
    },
    async pull(controller) {
      const { head } = unread;
      if (head) {
        unread.takeHead();
        controller.enqueue(head);
        return update();
      }
      isReading = true;
      try {
        const { done, value } = await reader.read();
        if (!done) controller.enqueue(value);
        else tellState ??= () => controller.close();
      } finally {
        isReading = false;
        update();
      }
    },
    async cancel(reason) {
      isOver = true;
      try {
        await reader.cancel(reason);
      } finally {
        reader.releaseLock();
      }
    },
  }, { highWaterMark: 0 });
}
