// Public: `EndReason`. `reasonOf`, which tells it from an error, is for `join` and the forwarder.

import { isObject } from "./check/kinds.ts";

/**
 * Why a {@linkcode join} ended, in one word that is the same on every runtime. It fulfils with
 *
 * - `"eof"`: both directions have ended, or with `halfClose: "end"` the first of them;
 * - `"half-close-timeout"`: one had ended, and the other was silent for `halfCloseTimeout`;
 * - `"drained"`: the `drain` signal has stopped it, and what had been read has been written;
 *
 * and rejects with a {@linkcode JoinError} that has one of these:
 *
 * - `"idle"`: nothing moved for `idleTimeout`, or a WebSocket's peer answered no `ping`.
 * - `"duration"`: it was not over after `maxDuration`.
 * - `"limit"`: more came than `limit` lets pass, or than a WebSocket's end may keep unread or take at once.
 * - `"reset"`: the peer broke the connection off, or takes no more. `ECONNRESET`, `ECONNABORTED`, `EPIPE`;
 *   `ConnectionReset`, `ConnectionAborted`, `BrokenPipe`; `WebTransportError`; a WebSocket that was cut, or
 *   closed with a code that is not named below.
 * - `"refused"`: nobody listens there. `ECONNREFUSED`; `ConnectionRefused`.
 * - `"unreachable"`: there is no way to the peer, or no answer. `ENETUNREACH`, `EHOSTUNREACH`, `ENETDOWN`,
 *   `EHOSTDOWN`, `ETIMEDOUT`, `ENOTFOUND`, `EAI_AGAIN`, `ENOENT`; `NetworkUnreachable`, `TimedOut`,
 *   `NotFound`; a WebSocket that could not be opened, as few platforms tell why.
 * - `"protocol"`: what came is no TLS or no WebSocket as it should be, the peer is not trusted, or it ended
 *   its TLS without the goodbye. `EPROTO`, `ERR_SSL_*`, `ERR_TLS_*`, the codes of certificates;
 *   `InvalidData`, `UnexpectedEof`; a WebSocket closed with 1002, 1003, 1007, 1009, 1010 or 1015.
 * - `"closed"`: somebody else on this side has closed the end. `EBADF`, `EINTR`, `ECANCELED`, `ENOTCONN`,
 *   `ERR_STREAM_DESTROYED`, `ERR_STREAM_WRITE_AFTER_END`, `ERR_STREAM_PREMATURE_CLOSE`; `BadResource`,
 *   `Interrupted`, `NotConnected`.
 * - `"aborted"`: a signal of the end's own has aborted, as that of a `fetch`. `ABORT_ERR`; `AbortError`,
 *   `TimeoutError`. The signal of the join has no word: an abort rejects with `signal.reason`.
 * - `"error"`: anything else.
 *
 * An error is told by its `code` or `name`, by those of its `cause` if its own say nothing, and by its
 * message where a platform has nothing else to tell. A write that the peer takes no more is a reset
 * whether it fails with `EPIPE` or `ECONNRESET`, as which of them comes is a matter of time. What a
 * platform does not tell cannot be told here: Bun 1.4 refuses what is unreachable, workerd cannot reach
 * what refuses, and the TLS of Node and Bun takes a cut for an end of file.
 */
export type EndReason =
  | "eof"
  | "half-close-timeout"
  | "drained"
  | "idle"
  | "duration"
  | "limit"
  | "reset"
  | "refused"
  | "unreachable"
  | "protocol"
  | "closed"
  | "aborted"
  | "error";

/** Names and codes that are one failure's alone. */
const NAMES: readonly [EndReason, string][] = [
  ["limit", "LimitError"],
  ["reset", "ECONNRESET ECONNABORTED EPIPE ConnectionReset ConnectionAborted BrokenPipe"],
  ["reset", "WebTransportError"],
  ["refused", "ECONNREFUSED ConnectionRefused"],
  ["unreachable", "ENETUNREACH EHOSTUNREACH ENETDOWN EHOSTDOWN ETIMEDOUT ENOENT"],
  ["unreachable", "ENOTFOUND EAI_AGAIN NetworkUnreachable TimedOut NotFound"],
  ["protocol", "EPROTO InvalidData UnexpectedEof"],
  ["closed", "EBADF EINTR ECANCELED ENOTCONN BadResource Interrupted NotConnected"],
  ["closed", "ERR_STREAM_DESTROYED ERR_STREAM_WRITE_AFTER_END ERR_STREAM_PREMATURE_CLOSE"],
  ["aborted", "ABORT_ERR AbortError TimeoutError"],
];
const REASONS: ReadonlyMap<unknown, EndReason> = new Map(
  NAMES.flatMap(([reason, names]) => names.split(" ").map((name) => [name, reason] as const)),
);

/** Of OpenSSL, of its verification of certificates (`CERT_HAS_EXPIRED`), of the `ws` package. */
const PROTOCOL = /^(ERR_SSL|ERR_TLS|WS_ERR|CRL|UNABLE_TO_VERIFY)_|CERT|HOSTNAME_MISMATCH/;

/** RFC 6455, 7.4.1: how a WebSocket is closed that does not keep to the protocol. */
const PROTOCOL_CLOSES: readonly unknown[] = [1002, 1003, 1007, 1009, 1010, 1015];

/** What is told by words alone: by workerd's sockets, by Deno's name lookup, by Firefox's streams, by ends of ours. */
const MESSAGES: readonly [EndReason, RegExp][] = [
  ["reset", /^Network connection lost|^Error in input stream|^The socket takes no more/],
  ["unreachable", /cannot connect to the specified address|^failed to lookup address/],
  ["closed", /has been closed$| was closed before /],
  ["limit", /'max(Buffered|Message)'/],
  ["idle", /'ping'/],
];

/** An error's causes may go round in a circle. */
const MAX_CAUSE_DEPTH = 8;

/** The word for a failure. */
export function reasonOf(error: unknown): EndReason {
  try {
    return told(error, MAX_CAUSE_DEPTH) ?? "error";
  } catch {
    // It throws when it is looked at; the caller gets it as it is.
    return "error";
  }
}

function told(error: unknown, depth: number): EndReason | undefined {
  if (!isObject(error) || depth === 0) return undefined;
  const { name, code, message, cause, errors } = error as Partial<AggregateError> & {
    code: unknown;
  };
  const text = String(message);
  // Node says ECONNRESET of a TLS handshake that is broken off by a clean end.
  if (text.includes("before secure TLS connection")) return "protocol";
  const reason = REASONS.get(code) ?? REASONS.get(name) ??
    (typeof code === "string" && PROTOCOL.test(code) ? "protocol" : undefined);
  if (reason) return reason;
  if (name === "WebSocketCloseError") {
    // Few platforms tell why.
    if (text.endsWith("could not be opened")) return "unreachable";
    if (PROTOCOL_CLOSES.includes(code)) return "protocol";
    return told(cause, depth - 1) === "protocol" ? "protocol" : "reset";
  }
  return told(cause, depth - 1) ?? told(errors?.[0], depth - 1) ??
    MESSAGES.find(([, words]) => words.test(text))?.[0];
}
