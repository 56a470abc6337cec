// Public: `JoinError`, `LimitError` and what they are made of.

import { quietly, show, tagOf } from "./check/show.ts";
import type { Counts, Direction } from "./counts.ts";
import type { EndReason } from "./reason.ts";

/** Thrown when more bytes come than the `limit` option lets pass. */
export class LimitError extends Error {
  /** The limit that was reached, in bytes. Exactly this number of bytes has passed. */
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
    super(`Limit of ${limit} ${limit === 1 ? "byte" : "bytes"} exceeded`);
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
  /** Whether a read or a write failed; `undefined` when it was neither, as a limit or a `close`. */
  readonly side?: "read" | "write";
  /** The end that failed; without a `side`, its `close` did. */
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
  /** Why the join ended, in one word. */
  readonly reason: EndReason;
  /** The end that was the first to end or to fail; `undefined` if neither had. */
  readonly first?: "a" | "b";
  /** How long the join took, in milliseconds. */
  readonly ms: number;
}

/**
 * What {@linkcode join} rejects with when a direction fails: the first error, where it happened, and
 * what had passed by then. An abort rejects with the signal's own reason instead.
 */
export class JoinError extends Error implements JoinErrorInit {
  /** The original error, untouched. */
  declare readonly cause: unknown;
  /** The direction that failed first; `undefined` for an idle timeout. */
  declare readonly direction?: Direction;
  /** Whether a read or a write failed; `undefined` for a limit, a timeout or a `close`. */
  declare readonly side?: "read" | "write";
  /** The end whose read, write or, without a `side`, `close` failed. */
  declare readonly end?: "a" | "b";
  /** The opposite direction's own failure, if it came before the teardown; the other `close`'s. */
  declare readonly other?: Failure;
  /** What had passed from `a` to `b`. */
  declare readonly aToB: Readonly<Counts>;
  /** What had passed from `b` to `a`. */
  declare readonly bToA: Readonly<Counts>;
  /** Why the join ended, in one word that is the same on every runtime. */
  declare readonly reason: EndReason;
  /**
   * The end that was the first to end or to fail. `undefined` if neither end had done either, as at an idle
   * timeout.
   */
  declare readonly first?: "a" | "b";
  /** How long the join took, in milliseconds. */
  declare readonly ms: number;

  /**
   * Creates the error.
   *
   * @param init The first error, where it happened and what had passed.
   */
  constructor(init: JoinErrorInit) {
    super(describe(init), { cause: init.cause });
    Object.assign(this, init, { name: "JoinError" });
  }
}

function describe({ cause, direction, side, end }: Failure): string {
  const where = side
    ? `${side === "read" ? "Reading from" : "Writing to"} '${end}'`
    : end
    ? `Closing '${end}'`
    : `Joining${direction ? ` (${direction})` : ""}`;
  return `${where} failed: ${messageOf(cause) ?? show(cause)}`;
}

/** The message of an error, of whatever realm. */
function messageOf(cause: unknown): string | undefined {
  const tag = tagOf(cause);
  const message = quietly(() =>
    tag === "Error" || tag === "DOMException" || cause instanceof Error
      ? (cause as Error).message
      : undefined
  );
  return typeof message === "string" ? message : undefined;
}
