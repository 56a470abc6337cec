// Public: `JoinOptions`. Their check is for `join()` alone.

import { BufferPool, sharedPool } from "../buffer_pool.ts";
import { assertKnown, refuse } from "../check/refuse.ts";
import type { Counts } from "../counts.ts";
import { OptionReader } from "../check/options.ts";

/** The live counts that {@linkcode join} puts into the object of its `stats` option. */
export interface JoinStats {
  /** What has passed from `a` to `b` so far. */
  aToB?: Counts;
  /** What has passed from `b` to `a` so far. */
  bToA?: Counts;
}

/** A value for both directions, or a value for each direction. */
export type PerDirection<T> = T | {
  /** From `a` to `b`. */
  aToB?: T;
  /** From `b` to `a`. */
  bToA?: T;
};

/** Options of {@linkcode join}. */
export interface JoinOptions {
  /**
   * A signal that cuts the join: at its abort both ends are torn down at once, and the join rejects with the
   * signal's reason.
   */
  signal?: AbortSignal;
  /**
   * A signal that stops the join gracefully. At its abort nothing further is read, bytes already read are
   * written, and both ends are half-closed; each end is closed once its peer has ended as well. The join then
   * fulfils with `reason: "drained"`. So each peer gets the beginning of what the other has sent, and then an
   * end of file.
   *
   * Bytes that a peer sends after the abort are read and dropped, and not counted: closing an end on top of
   * them would reset its connection, and destroy what the peer has not read yet. An end that cannot
   * half-close is closed at once. An end of `preventClose` is left alone, and its further bytes are for
   * whoever reads it next.
   *
   * A peer that takes nothing, or does not end, is waited for until `halfCloseTimeout` has passed since it
   * last took a byte; the default of that is 30 000 here. Then the join fulfils with `ended: "timeout"`. An
   * abort of `signal` cuts a drain, too, and goes first if both signals have aborted.
   */
  drain?: AbortSignal;
  /**
   * How long both directions may be silent (no settled read or write), in ms, before the join fails; more
   * than 0 and at most 2 147 483 647, or `Infinity`. Waiting for `rate` is not silence. A slow reader can look
   * silent.
   *
   * @default {Infinity}
   */
  idleTimeout?: number;
  /**
   * After one direction has ended, how long the other may stay silent (no settled read or write), in ms,
   * before both ends are closed, and the join fulfils with `ended: "timeout"`; more than 0 and at most
   * 2 147 483 647, or `Infinity`. It bounds silence, not age. A slow reader can look silent: behind a reader of
   * 100 KB/s, writes of 64 KiB were seen to settle 14 s apart. Bytes that are dropped, as nobody is left to
   * take them, do not break a silence.
   *
   * The default is finite because a peer that has vanished, or never closes, cannot be told from a peer that
   * thinks. Relays without such a timeout, as Go's and tokio's, keep sockets half dead for good
   * ([tokio#4556](https://github.com/tokio-rs/tokio/issues/4556)). Envoy bears an hour of silence
   * ([envoy#8705](https://github.com/envoyproxy/envoy/pull/8705)), where some users want less
   * ([envoy#41086](https://github.com/envoyproxy/envoy/issues/41086)), and kube-proxy remembers a half-closed
   * connection for an hour ([kubernetes#35919](https://github.com/kubernetes/kubernetes/pull/35919)): behind
   * it nothing would arrive later. For a peer that needs longer for its answer, set `Infinity`. The timeout
   * costs nothing before one end has ended, and its timer does not keep the process alive.
   *
   * @default {3_600_000} 30 000 where the end that waits to be closed cannot half-close
   */
  halfCloseTimeout?: number;
  /**
   * How long the join may last, in ms, whatever moves, before it fails; more than 0 and at most
   * 2 147 483 647, or `Infinity`. This is a failure, unlike `halfCloseTimeout`, since it cuts a transfer that
   * is under way: the peers must not take a part for the whole. For an end without a failure pass an
   * `AbortSignal.timeout()` as `drain`.
   *
   * @default {Infinity}
   */
  maxDuration?: number;
  /**
   * What an end of file of one end means for the opposite direction.
   *
   * - `"pass"`: nothing. The opposite direction goes on, as in TCP.
   * - `"end"`: the opposite direction is over as well, for protocols without half-close, as PostgreSQL's. Once
   *   everything from the ended end is written, the other end is half-closed. Its further bytes are read and
   *   dropped for at most half a second, so that its peer can read everything. Then both ends are closed, and
   *   the join fulfils with `ended: "eof"`.
   *
   * @default {"pass"}
   */
  halfClose?: "pass" | "end";
  /**
   * How many bytes may pass in a direction: the first byte past the limit fails the join, and a source that
   * ends exactly at the limit succeeds. A positive safe integer. Without a limit any number may pass.
   */
  limit?: PerDirection<number>;
  /**
   * How fast a direction may move, in bytes per second; more than 0. A burst has at most the bytes of 100 ms.
   * Without a rate a direction is not slowed.
   */
  rate?: PerDirection<number>;
  /** An object of the caller's, into which `join` puts live counts, `aToB` and `bToA`, before it returns. */
  stats?: JoinStats;
  /** The pool to borrow buffers from; by default the pool that all joins and pipes of a process share. */
  pool?: BufferPool;
  /**
   * Whether an end is left open after success: not half-closed and not closed, only unlocked. `true` leaves
   * both ends open, `{ a: true }` the end `a` alone.
   *
   * After a timeout, a read may still be under way. That of a Go-style end cannot be taken back: its
   * bytes go to the next {@linkcode join}, {@linkcode pipe} or {@linkcode unread} of the same object; a direct call
   * of its `read()` misses them. A stream that workerd itself makes, a socket's or a request's body, stays
   * locked, and what its read brings is lost.
   *
   * @default {false}
   */
  preventClose?: boolean | {
    /** Whether `a` is left open. */
    a?: boolean;
    /** Whether `b` is left open. */
    b?: boolean;
  };
  /**
   * What moves the bytes. `"auto"` is the library's own pump. `"pipeTo"` is the platform's `pipeTo` through a
   * {@linkcode ByteCounterStream}, which is slower, and counts bytes that have not reached the sink, too.
   *
   * @default {"auto"}
   */
  via?: "auto" | "pipeTo";
}

/** Options checked, with their defaults. Only that of `halfCloseTimeout` is missing: it depends on the ends. */
export interface CheckedOptions {
  readonly via: "auto" | "pipeTo";
  readonly limit: Each<"aToB" | "bToA", number | undefined>;
  readonly rate: Each<"aToB" | "bToA", number | undefined>;
  readonly preventClose: Each<"a" | "b", boolean>;
  readonly idleTimeout: number;
  readonly halfCloseTimeout?: number;
  readonly maxDuration: number;
  readonly halfClose: "pass" | "end";
  readonly signal?: AbortSignal;
  readonly drain?: AbortSignal;
  readonly pool: BufferPool;
  readonly stats?: JoinStats;
}

type Each<K extends string, T> = Readonly<Record<K, T>>;

/** Every option has to be here, as others are refused. */
const KNOWN: Required<Record<keyof JoinOptions, true>> = {
  signal: true,
  idleTimeout: true,
  halfCloseTimeout: true,
  maxDuration: true,
  halfClose: true,
  drain: true,
  limit: true,
  rate: true,
  stats: true,
  pool: true,
  preventClose: true,
  via: true,
};
const NAMES = Object.keys(KNOWN);

const read = new OptionReader("join");
const DIRECTIONS = ["aToB", "bToA"] as const;
const DEFAULTS = checked({});

/** Reads and checks the options; touches nothing. */
export function readOptions(options: JoinOptions | undefined): CheckedOptions {
  if (options === undefined || options === null) return DEFAULTS;
  if (typeof options !== "object") refuse("join", "options", "must be an object", options);
  return checked(options);
}

function checked(options: JoinOptions): CheckedOptions {
  assertKnown("join", options, NAMES);
  const { limit, rate, preventClose } = options;
  return {
    via: read.word("via", options.via, ["auto", "pipeTo"]),
    limit: read.each("limit", limit, DIRECTIONS, (value) => read.limit("limit", value)),
    rate: read.each("rate", rate, DIRECTIONS, (value) => read.rate("rate", value)),
    preventClose: read.each(
      "preventClose",
      preventClose,
      ["a", "b"],
      (value) => read.boolean("preventClose", value),
    ),
    idleTimeout: read.timeout("idleTimeout", options.idleTimeout) ?? Infinity,
    halfCloseTimeout: read.timeout("halfCloseTimeout", options.halfCloseTimeout),
    maxDuration: read.timeout("maxDuration", options.maxDuration) ?? Infinity,
    halfClose: read.word("halfClose", options.halfClose, ["pass", "end"]),
    signal: read.signal(options.signal),
    drain: read.signal(options.drain, "drain"),
    pool: read.instance("pool", options.pool, BufferPool, "BufferPool") ?? sharedPool,
    stats: read.stats(options.stats),
  };
}
