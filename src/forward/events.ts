// Public: the events of a forwarder.

import type { EndReason } from "../reason.ts";

/** Why a connection ended: as a join does, or what only a forwarder can say. */
export type CloseReason =
  /** What a join ends for, and, with an `error`, what connecting to the target fails for. */
  | EndReason
  /** The target did not answer within `connectTimeout`. */
  | "connect-timeout"
  /** The forwarder was shut down and the grace was over. */
  | "shutdown";

/** The forwarder listens. */
export interface ListenEvent {
  /** Which event this is. */
  event: "listen";
  /** The address, with the port that was chosen where 0 was asked for. */
  address: string;
  /** Where its connections go. */
  target: string;
}

/** What the events of a connection have in common. */
export interface ConnectionEvent {
  /** The connection's number, from 1. */
  id: number;
  /** The client's address. */
  from: string;
  /** The target's address. */
  to: string;
}

/** A connection was accepted, and the target is about to be dialed; only told with `openEvents`. */
export interface OpenEvent extends ConnectionEvent {
  /** Which event this is. */
  event: "open";
}

/** A connection ended, or could not be made. */
export interface CloseEvent extends ConnectionEvent {
  /** Which event this is. */
  event: "close";
  /** Bytes that the target took from the client. */
  aToB: number;
  /** Bytes that the client took from the target. */
  bToA: number;
  /** Milliseconds since it was accepted. */
  ms: number;
  /** Why it ended. */
  reason: CloseReason;
  /** What went wrong, unless nothing did. */
  error?: string;
}

/**
 * Connections cannot be accepted for the moment, and the forwarder keeps trying; or the target is the
 * forwarder itself.
 */
export interface ErrorEvent {
  /** Which event this is. */
  event: "error";
  /** What went wrong. */
  error: string;
}

/** The forwarder has stopped listening; open connections have `grace` to finish. */
export interface ShutdownEvent {
  /** Which event this is. */
  event: "shutdown";
  /** How many connections are open. */
  open: number;
  /** How many milliseconds they have. */
  grace: number;
}

/** What a forwarder tells its `onEvent`. */
export type ForwardEvent = ListenEvent | OpenEvent | CloseEvent | ErrorEvent | ShutdownEvent;
