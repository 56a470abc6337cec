// Public: the events of a forwarder.

import type { EndReason } from "../reason.ts";

/** Why a connection ended: the reason of its join, or a reason that only a forwarder has. */
export type CloseReason =
  /** The reason of the join, or, if the target could not be connected, the reason of that failure. */
  | EndReason
  /** The target did not answer within `connectTimeout`. */
  | "connect-timeout"
  /** The forwarder was shut down, and the connection was cut after the grace. */
  | "shutdown";

/** The forwarder listens. */
export interface ListenEvent {
  /** Which event this is. */
  event: "listen";
  /** The address that it listens on, with the port that the system has chosen in place of port 0. */
  address: string;
  /** The address that it forwards to. */
  target: string;
}

/** The part that all events of one connection have in common. */
export interface ConnectionEvent {
  /** The connection's number, from 1. */
  id: number;
  /** The client's address; for a client of a Unix socket, which has none, the address listened on. */
  from: string;
  /** The target's address, as it was given. */
  to: string;
}

/** A connection was accepted, and the target is about to be dialed. Only emitted with `openEvents`. */
export interface OpenEvent extends ConnectionEvent {
  /** Which event this is. */
  event: "open";
}

/** A connection has ended, or its target could not be connected. */
export interface CloseEvent extends ConnectionEvent {
  /** Which event this is. */
  event: "close";
  /** Bytes that the target took from the client. */
  aToB: number;
  /** Bytes that the client took from the target. */
  bToA: number;
  /** How long the connection lasted since it was accepted, in ms. */
  ms: number;
  /** Why the connection ended. */
  reason: CloseReason;
  /** What went wrong, in words for people; missing if nothing did. */
  error?: string;
}

/**
 * Connections cannot be accepted for the moment, and the forwarder keeps trying; or the target is the
 * forwarder itself. An error that repeats is emitted once, until it has not come for 10 seconds.
 */
export interface ErrorEvent {
  /** Which event this is. */
  event: "error";
  /** What went wrong, in words for people. */
  error: string;
}

/** The forwarder has stopped listening, and lets open connections finish for `grace` milliseconds. */
export interface ShutdownEvent {
  /** Which event this is. */
  event: "shutdown";
  /** How many connections are open at that moment. */
  open: number;
  /** How long open connections may go on before they are cut, in ms. */
  grace: number;
}

/** What `onEvent` of a forwarder is called with. */
export type ForwardEvent = ListenEvent | OpenEvent | CloseEvent | ErrorEvent | ShutdownEvent;
