import type { BufferPool } from "./buffer_pool.ts";
import { assertKnown, type Counts, refuse } from "./errors.ts";
import { OptionReader } from "./options.ts";

/** The live counts that {@linkcode join} puts into the object of its `stats` option. */
export interface JoinStats {
  /** What has passed from `a` to `b` so far. */
  aToB?: Counts;
  /** What has passed from `b` to `a` so far. */
  bToA?: Counts;
}

/** A value for both directions, or one for each. */
export type PerDirection<T> = T | {
  /** From `a` to `b`. */
  aToB?: T;
  /** From `b` to `a`. */
  bToA?: T;
};

/** Options of {@linkcode join}. */
export interface JoinOptions {
  /** Aborts the join: both ends are torn down, and it rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Stops the join gracefully when it aborts: nothing further is read, what had been read is written, both
   * ends are half-closed, and closed once their peers have ended as well; then it fulfils with `reason:
   * "drained"`. So each peer gets the beginning of what the other has sent, and then an end of file.
   *
   * What a peer still sends is read and dropped, uncounted, as closing on top of it would reset the
   * connection, and destroy what that peer has not read yet. An end that cannot half-close is closed at
   * once, and one of `preventClose` is left alone: what comes is for whoever reads next.
   *
   * A peer that takes nothing, or does not end, is waited for as long as `halfCloseTimeout` says, here 30 s
   * by default, from the last byte that it took. Then it fulfils with `ended: "timeout"`. An abort of
   * `signal` still cuts it; one that came before goes first.
   */
  drain?: AbortSignal;
  /**
   * Milliseconds without a settled read or write in either direction after which the join fails; more
   * than 0 and at most 2 147 483 647. Waiting for `rate` is not idleness; a slow reader can look idle.
   *
   * @default {Infinity}
   */
  idleTimeout?: number;
  /**
   * Milliseconds without one in the direction that is left, once the other has ended, after which both
   * ends are closed and the join fulfils with `ended: "timeout"`. Silence, not age; but mind a slow
   * reader: behind one of 100 KB/s, writes of 64 KiB were seen to settle 14 s apart. What is dropped, as
   * nobody is left to take it, breaks no silence.
   *
   * It has an end by default, as a peer that has vanished, or never closes, cannot be told from one that
   * thinks. Relays without an end, as Go's and tokio's, keep sockets half dead for good
   * ([tokio#4556](https://github.com/tokio-rs/tokio/issues/4556)). An hour of silence is what Envoy bears
   * ([envoy#8705](https://github.com/envoyproxy/envoy/pull/8705)), where some users want less
   * ([envoy#41086](https://github.com/envoyproxy/envoy/issues/41086)), and for as long kube-proxy knows a
   * half-closed connection ([kubernetes#35919](https://github.com/kubernetes/kubernetes/pull/35919)):
   * behind it nothing would arrive later. A peer that needs longer for its answer wants `Infinity`. A join
   * pays nothing for it before one end has ended, and the timer of that hour keeps no process alive.
   *
   * @default {3_600_000} 30 000 where the end waiting to be closed cannot half-close
   */
  halfCloseTimeout?: number;
  /**
   * Milliseconds after which the join fails, whatever moves; in the range of `idleTimeout`. It fails, and
   * does not fulfil as after `halfCloseTimeout`, since it cuts what is under way: the peers must not take
   * what they have got for all there was. For an end that is no failure there is `drain`, which takes an
   * `AbortSignal.timeout()` as well.
   *
   * @default {Infinity}
   */
  maxDuration?: number;
  /**
   * What the end of file of one end means to the other direction. `"pass"`: nothing, it goes on, as TCP has
   * it. `"end"`: it is over as well, for protocols that know no half-close, as that of PostgreSQL: once all
   * that the ended end had sent is written, the other is half-closed, what still comes is dropped for
   * half a second at most, that its peer reads all, and both are closed; the join fulfils with `ended: "eof"`.
   *
   * @default {"pass"}
   */
  halfClose?: "pass" | "end";
  /** Bytes that may pass; the first one past it fails. A positive safe integer. */
  limit?: PerDirection<number>;
  /** Bytes a second, more than 0, with bursts of at most 100 ms worth. */
  rate?: PerDirection<number>;
  /** The caller's object, which is given the live counts before `join` returns. */
  stats?: JoinStats;
  /** Where buffers come from; by default a pool that everything shares. */
  pool?: BufferPool;
  /**
   * After success, leave both ends, or one of them, as they are: no half-close, no close, only unlocked.
   * After a timeout, a Go-style end may still have a read under way: what it brings goes to the next
   * {@linkcode join}, {@linkcode pipe} or {@linkcode unread} of that very object, and past a `read()` of
   * one's own.
   *
   * @default {false}
   */
  preventClose?: boolean | {
    /** Leave `a`. */
    a?: boolean;
    /** Leave `b`. */
    b?: boolean;
  };
  /**
   * What moves the bytes: our pump, or the platform's own `pipeTo` through a
   * {@linkcode ByteCounterStream}, which is slower and counts what is on its way as well.
   *
   * @default {"auto"}
   */
  via?: "auto" | "pipeTo";
}

/** Options checked, with their defaults; of `halfCloseTimeout` that depends on the ends. */
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
    pool: read.pool(options.pool),
    stats: read.stats(options.stats),
  };
}
