/** Which way bytes travel in a {@linkcode join}: from `a` to `b` or from `b` to `a`. */
export type Direction = "aToB" | "bToA";

/** What passed in one direction, final or live. */
export interface Counts {
  /** Bytes whose write the sink has fulfilled. */
  bytes: number;
  /** Chunks whose write the sink has fulfilled. */
  chunks: number;
}

/** Thrown when more bytes come than the `limit` option lets pass. */
export class LimitError extends Error {
  /** The limit that was reached, in bytes: so many were let pass, and no more. */
  readonly limit: number;
  /** The direction that reached it; `undefined` in {@linkcode pipe}, which has only one. */
  readonly direction?: Direction;

  /**
   * Creates the error.
   *
   * @param limit The limit that was reached, in bytes.
   * @param direction The direction that reached it.
   */
  constructor(limit: number, direction?: Direction) {
    super(`More came than the limit of ${limit} bytes${direction ? ` (${direction})` : ""}`);
    this.name = "LimitError";
    this.limit = limit;
    this.direction = direction;
  }
}

/** A direction's own failure. */
export interface Failure {
  /** The original error, untouched. */
  readonly cause: unknown;
  /** The direction that failed; `undefined` when the failure belongs to none, as a timeout. */
  readonly direction?: Direction;
  /** Whether a read or a write failed; `undefined` when it was neither, as a limit. */
  readonly side?: "read" | "write";
  /** The end that failed. */
  readonly end?: "a" | "b";
}

/** What {@linkcode JoinError} is made of. */
export interface JoinErrorInit extends Failure {
  /** The opposite direction's own failure, if it came before the teardown. */
  readonly other?: Failure;
  /** What had passed from `a` to `b`. */
  readonly aToB: Readonly<Counts>;
  /** What had passed from `b` to `a`. */
  readonly bToA: Readonly<Counts>;
}

/**
 * What {@linkcode join} rejects with when a direction fails: the first error, where it happened, and
 * what had passed by then. An abort rejects with the signal's own reason instead.
 */
export class JoinError extends Error implements JoinErrorInit {
  /** The original error, untouched. */
  override readonly cause: unknown;
  /** The direction that failed first; `undefined` for an idle timeout. */
  readonly direction?: Direction;
  /** Whether a read or a write failed; `undefined` for a limit or a timeout. */
  readonly side?: "read" | "write";
  /** The end whose read or write failed. */
  readonly end?: "a" | "b";
  /** The opposite direction's own failure, if it came before the teardown. */
  readonly other?: Failure;
  /** What had passed from `a` to `b`. */
  readonly aToB: Readonly<Counts>;
  /** What had passed from `b` to `a`. */
  readonly bToA: Readonly<Counts>;

  /**
   * Creates the error.
   *
   * @param init The first error, where it happened and what had passed.
   */
  constructor(init: JoinErrorInit) {
    super(describe(init), { cause: init.cause });
    this.name = "JoinError";
    this.cause = init.cause;
    this.direction = init.direction;
    this.side = init.side;
    this.end = init.end;
    this.other = init.other;
    this.aToB = init.aToB;
    this.bToA = init.bToA;
  }
}

function describe({ cause, direction, side, end }: Failure): string {
  const where = side
    ? `${side === "read" ? "Reading from" : "Writing to"} '${end}' failed`
    : `The join failed${direction ? ` (${direction})` : ""}`;
  const what = cause instanceof Error ? cause.message : cause;
  return `${where}: ${typeof what === "string" ? what : show(what)}`;
}

/** Names a value in an error message without ever throwing itself. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" && name !== "" ? `an object (${name})` : "an object";
}
