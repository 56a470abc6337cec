// How a session ended, in words for the log; for sessions alone.

import { JoinError } from "../errors.ts";
import { reasonOf } from "../reason.ts";
import { formatAddress, type TargetAddress } from "./address.ts";
import type { CloseReason } from "./events.ts";
import { IS_ITSELF } from "./loop_guard.ts";
import { plainMessage } from "./plain_message.ts";

/** How a session ended; `error` says what went wrong, if anything did. */
export interface Outcome {
  readonly reason: CloseReason;
  readonly error?: string;
}

/** The outcome of a session that a shutdown has cut after its target was connected. */
export const CUT: Outcome = { reason: "shutdown", error: "The forwarder was shut down" };

/** The outcome of a session whose target could not be connected. */
export function connectFailure(target: TargetAddress, error: unknown, isCut: boolean): Outcome {
  const reason = isCut ? "shutdown" : isTimeout(error) ? "connect-timeout" : reasonOf(error);
  return { reason, error: cannotConnect(target, plainMessage(error)) };
}

/** The outcome of a session whose target turned out to be the forwarder itself. */
export function loopFailure(target: TargetAddress): Required<Outcome> {
  return { reason: "error", error: cannotConnect(target, IS_ITSELF) };
}

/** The outcome of a session whose join has rejected. */
export function joinFailure(error: unknown): Outcome {
  if (!(error instanceof JoinError)) return { reason: "error", error: plainMessage(error) };
  const { cause, end, side, reason } = error;
  const verb = side === "write" ? "write to" : "read from";
  const where = end === undefined
    ? ""
    : `Cannot ${verb} the ${end === "a" ? "client" : "target"}: `;
  return { reason, error: where + plainMessage(cause) };
}

function cannotConnect(target: TargetAddress, why: string): string {
  return `Cannot connect to ${formatAddress(target)}: ${why}`;
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
