// Public: `join()`. Checks its arguments, then leaves the work to `joining.ts`.

import { assertEnd } from "../check/end.ts";
import type { Conn, End, MessagePair, Pair } from "../ends.ts";
import { isOfMessages } from "../check/kinds.ts";
import { refuse } from "../check/refuse.ts";
import { type JoinOptions, readOptions } from "./options.ts";
import type { JoinResult } from "./result.ts";
import { Joining } from "./joining.ts";

/**
 * Connects two ends of messages, as two WebSockets: each message comes out as it went in, and if the one
 * closes with a code and a reason the other is closed with them. A `limit` or a `rate` splits no message:
 * the first that is more than what is left of the limit fails, and nothing of it passes.
 *
 * @typeParam A The messages that `a` sends.
 * @typeParam B The messages that `b` sends.
 * @param a One end.
 * @param b The other end.
 * @param options Limits and timeouts; see {@linkcode JoinOptions}.
 * @returns What passed each way: the bytes that the messages carried, and how many there were.
 * @throws As for two ends of bytes, and a `TypeError` if only one of the two is an end of messages.
 */
export function join<A, B>(
  a: MessagePair<A, B>,
  b: MessagePair<B, A>,
  options?: JoinOptions,
): Promise<JoinResult>;
/**
 * Connects two ends: whatever one sends, the other gets, both ways at once, until both have ended.
 *
 * When one end reaches its end of file, everything read from it is written to the other end, whose write
 * side alone is then closed; the opposite direction goes on. When both directions have ended, each end is
 * closed once. Both ends belong to `join` until its promise settles, and are closed by then.
 *
 * If a Go-style end has a `setNoDelay`, as a `Deno.TcpConn` has, `join` calls it with `true` before it
 * returns, as Go does for every socket. With Nagle's algorithm, the second part of an answer would wait for
 * the acknowledgement of the first part, 40 ms. To keep the algorithm, call `conn.setNoDelay(false)` after
 * `join(…)`.
 *
 * On the first failure, and on an abort, both ends are torn down in the same turn: a pair's `readable` is
 * cancelled, its `writable` aborted and its `close` called; a Go-style end's `abort` is called, or else its
 * `close`; each gets the bare reason. The teardown waits for no pending write, except that after a failed
 * read or at the limit the chunk in flight gets up to 1 s. The teardown itself takes at most 1 s, too.
 *
 * After a failed write, the bytes that the failed end has sent are delivered first: up to its end of file,
 * another failure, or a second of silence (not of age: an answer may be long). If that end has then reached
 * its end of file, the other end is half-closed. Bytes that the other end still sends are read and dropped,
 * uncounted, until it ends, for at most a second of silence and five seconds in all: closing it on top of
 * unread input would reset its connection, and destroy the answer. Then both ends are closed as after
 * success, and `join` rejects. If a read fails during a write to the same end, the same is done, but without
 * the half-close, and with a teardown at last. A signal that aborts cuts all of this at once.
 *
 * @typeParam A The chunks that `a` sends.
 * @typeParam B The chunks that `b` sends.
 * @param a One end: a pair of streams, or a Go-style end such as a `Deno.Conn`.
 * @param b The other end.
 * @param options Limits and timeouts; see {@linkcode JoinOptions}.
 * @returns What passed each way.
 * @throws {TypeError} If `a` or `b` is no end, needs an adapter or has a locked stream, if both are the same
 * end, or if an option is unknown or of the wrong type; nothing is touched.
 * @throws {RangeError} If an option is out of range; nothing is touched.
 * @throws {JoinError} If a read or a write fails, with the error as its `cause`; past the `limit` (cause: a
 * {@linkcode LimitError}); after `idleTimeout` or `maxDuration` (cause: a `TimeoutError` `DOMException`); if an
 * end's own `close` fails after everything has passed.
 * @throws `signal.reason` if the signal aborts.
 *
 * @example Connect two in-memory ends
 * ```ts
 * import { join, memoryPair } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, a] = memoryPair();
 * const [b, server] = memoryPair();
 * const joined = join(a, b);
 *
 * const request = client.writable.getWriter();
 * await request.write(new TextEncoder().encode("question"));
 * await request.close();
 * assertEquals(await new Response(server.readable).text(), "question");
 *
 * // The client has ended, and still gets its answer.
 * const response = server.writable.getWriter();
 * await response.write(new TextEncoder().encode("answer"));
 * await response.close();
 * assertEquals(await new Response(client.readable).text(), "answer");
 *
 * const { aToB, bToA } = await joined;
 * assertEquals([aToB.bytes, bToA.bytes], [8, 6]);
 * ```
 */
export function join<A, B>(
  a: Pair<A, B> | Conn,
  b: Pair<B, A> | Conn,
  options?: JoinOptions,
): Promise<JoinResult>;
export function join(
  a: End<unknown, unknown> | MessagePair<unknown, unknown>,
  b: End<unknown, unknown> | MessagePair<unknown, unknown>,
  options?: JoinOptions,
): Promise<JoinResult> {
  try {
    assertEnd("join", "a", a);
    assertEnd("join", "b", b);
    if (a === b) refuse("join", "b", "must be another end than 'a'", b);
    const [ofA, ofB] = [a, b].map(isOfMessages);
    if (ofA !== ofB) {
      refuse("join", "b", `must be an end of ${ofA ? "messages" : "bytes"} as 'a' is`, b);
    }
    return new Joining(a, b, readOptions(options)).result;
  } catch (error) {
    return Promise.reject(error);
  }
}
