// Public: `through()`.

import { assertEnd, assertStreams } from "./check/end.ts";
import type { Conn, Pair } from "./ends.ts";
import { halfCloseOf } from "./check/kinds.ts";
import { join } from "./join/join.ts";

/**
 * Layers a pair of transforms on an end: what is written goes through `outgoing` to the end, what the
 * end sends comes out through `incoming`.
 *
 * The end is locked at once, and closed when both directions have ended; a failure on one side of the
 * transforms tears down the other side.
 *
 * A transform may hold bytes back: a `CompressionStream` gives out little before it is closed. That is fine
 * for a transfer, and stalls a conversation.
 *
 * @typeParam A The chunks that `end` sends.
 * @typeParam B The chunks that `end` takes.
 * @typeParam R The chunks that come out.
 * @typeParam W The chunks that go in.
 * @param end What to layer on.
 * @param outgoing The transform of bytes that are written to the end, such as a `CompressionStream`.
 * @param incoming The transform of bytes that the end sends, such as a `DecompressionStream`.
 * @returns An end for {@linkcode join}; it can half-close if `end` can.
 * @throws {TypeError} If `end` is no end, a transform is no pair of streams, or one of the streams is locked.
 *
 * @example Compress between two relays
 * ```ts
 * import { join, memoryPair, through } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, a] = memoryPair();
 * const [b, far] = memoryPair();
 * const gzip = { outgoing: new CompressionStream("gzip"), incoming: new DecompressionStream("gzip") };
 * const joined = join(a, through(b, gzip.outgoing, gzip.incoming));
 *
 * const received = new Response(far.readable.pipeThrough(new DecompressionStream("gzip"))).text();
 * const writer = client.writable.getWriter();
 * await writer.write(new TextEncoder().encode("hello"));
 * await writer.close();
 * assertEquals(await received, "hello");
 *
 * await new Blob([]).stream().pipeThrough(new CompressionStream("gzip")).pipeTo(far.writable);
 * await joined;
 * ```
 */
export function through<A, B, R, W>(
  end: Pair<A, B> | Conn,
  outgoing: { readable: ReadableStream<B>; writable: WritableStream<W> },
  incoming: { readable: ReadableStream<R>; writable: WritableStream<A> },
): Pair<R, W> {
  const action = "layer transforms on an end";
  assertEnd(action, "end", end);
  assertStreams(action, "outgoing", outgoing);
  assertStreams(action, "incoming", incoming);
  const aborter = new AbortController();
  const inner = { readable: outgoing.readable, writable: incoming.writable };
  // Who uses the layered end waits for it; how long is theirs to say.
  const options = { signal: aborter.signal, halfCloseTimeout: Infinity };
  const joined = join(end, inner, options).then(() => {}, () => {
    // It shows in both of the streams that are left outside.
  });
  return {
    readable: incoming.readable,
    writable: outgoing.writable,
    halfClose: halfCloseOf(end),
    close(reason) {
      if (reason !== undefined) aborter.abort(reason);
      return joined;
    },
  };
}
