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
   * Milliseconds without a settled read or write in either direction after which the join fails; more
   * than 0 and at most 2 147 483 647. Waiting for `rate` is not idleness; a slow reader can look idle.
   *
   * @default {Infinity}
   */
  idleTimeout?: number;
  /**
   * Milliseconds without one in the direction that is left, once the other has ended, after which both
   * ends are closed and the join fulfils with `ended: "timeout"`. Silence, not age; but mind a slow
   * reader: behind one of 100 KB/s, writes of 64 KiB were seen to settle 14 s apart.
   *
   * @default {Infinity} 30 000 where the end waiting to be closed cannot half-close
   */
  halfCloseTimeout?: number;
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
   * After a timeout, a Go-style end may still have a read under way, which takes what comes next.
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
  readonly signal?: AbortSignal;
  readonly pool: BufferPool;
  readonly stats?: JoinStats;
}

type Each<K extends string, T> = Readonly<Record<K, T>>;

/** Every option has to be here, as others are refused. */
const KNOWN: Required<Record<keyof JoinOptions, true>> = {
  signal: true,
  idleTimeout: true,
  halfCloseTimeout: true,
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
  const { via = "auto", limit, rate, preventClose } = options;
  if (via !== "auto" && via !== "pipeTo") refuse("join", "via", 'must be "auto" or "pipeTo"', via);
  return {
    via,
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
    signal: read.signal(options.signal),
    pool: read.pool(options.pool),
    stats: read.stats(options.stats),
  };
}
