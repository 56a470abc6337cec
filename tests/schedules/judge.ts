/**
 * What must hold of a run, whatever happened in it.
 *
 * @module
 */
import { JoinError, type JoinResult } from "@webstreams/join";
import { platform, runtime } from "../support/environment.ts";
import type { Facts } from "./protocol.ts";
import { otherSide, type Side, sides } from "../support/sides.ts";
import type { Schedule } from "./schedule.ts";

/** How a join went. */
export interface JoinOutcome {
  readonly result?: JoinResult;
  readonly error?: unknown;
  /** Whether it was aborted, and drained, before it had settled; the reason it was aborted with. */
  readonly aborted: boolean;
  readonly drained: boolean;
  readonly reason: unknown;
  /** Its `stats`: what has passed from each end. */
  readonly passed: Readonly<Record<Side, number>>;
}

/** So much has been sent across before it is closed: there is room for it on the way. */
const SMALL_BYTES = 32 * 1024;
/** A peer that pauses for less is not silent for a join, nor is one whose machine is slow. */
const SWIFT_MS = 300;

/** The rules that a run breaks. */
export function judge(
  schedule: Schedule,
  outcome: JoinOutcome,
  peers: Readonly<Record<Side, Facts>>,
): string[] {
  const broken = [...sides.flatMap((from) => judgeBytes(schedule, outcome, peers, from))];
  if (outcome.result) broken.push(...judgeResult(schedule, outcome, outcome.result, peers));
  else if ("error" in outcome) broken.push(...judgeError(schedule, outcome, peers));
  return broken;
}

/** What has gone from one peer to the other. */
function judgeBytes(
  schedule: Schedule,
  { result, error, aborted, drained, passed }: JoinOutcome,
  peers: Readonly<Record<Side, Facts>>,
  from: Side,
): string[] {
  const to = otherSide(from);
  const [sender, receiver, counted] = [peers[from], peers[to], passed[from]];
  const way = `${from} to ${to}`;
  const bytes =
    `${receiver.received} came, ${counted} counted, ${sender.sent} to ${sender.given} sent`;
  const complete = receiver.received >= sender.sent ||
    !!sender.left && (drained || isOver(receiver)) && mistakesResets(schedule, from);
  const ordinary = schedule.halfClose === "pass" && !schedule.halfCloseTimeout;
  const swift = sender.ms < SWIFT_MS;
  const says = (holds: boolean, what: string) => holds ? [] : [`${way}: ${what} (${bytes})`];
  return [
    ...says(receiver.intact, "other bytes came than were sent"),
    ...says(receiver.received <= counted, "more came than was counted"),
    ...says(counted <= sender.given, "more was counted than was sent"),
    ...says(receiver.closed, "the connection is still open"),
    ...says(!!receiver.left || receiver.saw !== "nothing", "its end cannot be seen"),
    // A success that is neither cut nor stopped has passed everything on ...
    ...says(
      !(result?.reason === "eof" && ordinary) || counted >= sender.sent || complete,
      "not everything passed, with success",
    ),
    ...says(
      !(result?.reason === "eof" && ordinary) || !!receiver.left ||
        complete && receiver.saw === "eof",
      "a success cannot be seen",
    ),
    // ... with "end", of the one that ended.
    ...says(
      !(result?.reason === "eof" && schedule.halfClose === "end" && result.first === from) ||
        !!receiver.left || !!drained || !swift || complete,
      "not everything came of the first to end",
    ),
    // A part must not look like the whole. On Deno an abort does: of a conn, and of a socket that is not told
    // yet that it is connected.
    ...says(
      !!receiver.left || receiver.saw !== "eof" || complete ||
        error !== undefined && runtime === "deno" || drained ||
        result?.reason === "half-close-timeout" || breaksWhenEnded(schedule, to) ||
        schedule.halfClose === "end" && result?.first !== from,
      "a part looked like the whole",
    ),
    // What was said before it closed.
    ...says(
      sender.left !== "close" || !!receiver.left || aborted || drained || !ordinary || !swift ||
        sender.given > SMALL_BYTES || complete,
      "last words are lost",
    ),
  ];
}

function judgeResult(
  schedule: Schedule,
  { drained, passed }: JoinOutcome,
  result: JoinResult,
  peers: Readonly<Record<Side, Facts>>,
): string[] {
  const { ended, reason, first, ms, aToB, bToA } = result;
  const over = sides.filter((side) => isOver(peers[side]));
  const plausible = reason === "eof"
    ? over.length === 2 || over.length === 1 && schedule.halfClose === "end"
    : reason === "drained"
    ? drained
    : reason === "half-close-timeout" && !!schedule.halfCloseTimeout &&
      (over.length > 0 || drained);
  const says = (holds: boolean, what: string) =>
    holds ? [] : [`${what}: ${JSON.stringify(result)}`];
  return [
    ...says(plausible, "not what has happened"),
    ...says(ended === (reason === "half-close-timeout" ? "timeout" : "eof"), "'ended' is wrong"),
    ...says(first ? over.includes(first) : drained, "'first' is wrong"),
    ...says(aToB.bytes === passed.a && bToA.bytes === passed.b, "'stats' say otherwise"),
    ...says(ms >= 0, "'ms' is wrong"),
  ];
}

function judgeError(
  schedule: Schedule,
  { error, aborted, reason, passed }: JoinOutcome,
  peers: Readonly<Record<Side, Facts>>,
): string[] {
  if (aborted && error === reason) return [];
  if (!(error instanceof JoinError)) return [`no JoinError: ${error}`];
  const { direction, side, end, other, first, aToB, bToA, ms } = error;
  const broken = sides.filter((side) =>
    peers[side].left || peers[side].finished && breaksWhenEnded(schedule, side)
  );
  const over = sides.filter((side) => isOver(peers[side]));
  const says = (holds: boolean, what: string) =>
    holds ? [] : [`${what}: ${error.message} ${JSON.stringify({ ...error, cause: error.cause })}`];
  return [
    ...says(error.reason === "reset", "not what can happen"),
    ...says(!!end && broken.includes(end), "it blames a peer that is there"),
    ...says(
      !other || !!other.end && broken.includes(other.end),
      "'other' blames one that is there",
    ),
    ...says(direction === (side === "read" === (end === "a") ? "aToB" : "bToA"), "inconsistent"),
    // Nothing was to be written, no end to be told, and something still to be read.
    ...says(
      side === "read" ||
        !!end && (peers[end].finished || isOver(peers[otherSide(end)]) ||
            peers[otherSide(end)].given > 0),
      "a write that there was not",
    ),
    ...says(!!first && over.includes(first), "'first' is wrong"),
    ...says(aToB.bytes === passed.a && bToA.bytes === passed.b, "'stats' say otherwise"),
    ...says(ms >= 0, "'ms' is wrong"),
  ];
}

function isOver({ finished, left }: Facts): boolean {
  return finished || left !== undefined;
}

/** Deno's `node:net` takes an end of file before any byte for a broken connection. */
function breaksWhenEnded(schedule: Schedule, side: Side): boolean {
  return runtime === "deno" && schedule[side].kind.startsWith("node");
}

/** Node 20 and 22 take a reset for an end of file, which cannot be told once the writing has ended. */
function mistakesResets(schedule: Schedule, side: Side): boolean {
  return ["node20", "node22"].includes(platform) && schedule[side].kind.startsWith("node");
}
