/**
 * What a test and the two peers of its join say to each other: a line of JSON each, over a connection of
 * their own.
 *
 * @module
 */
import type { Side } from "../support/sides.ts";
import type { ScheduleStep } from "./schedule.ts";

/** With which run it is about. */
export type OfRun<Message> = Message & { readonly run: number };

/** What the test says of one run. */
export type Order =
  /** Where each peer is to connect; 0: it listens. */
  | { readonly order: "open"; readonly ports: Readonly<Record<Side, number>> }
  /** The join has begun: these steps, then both peers read on and end, but for a silent one. */
  | { readonly order: "play"; readonly steps: readonly ScheduleStep[]; readonly silent?: Side }
  /** The join is over. */
  | { readonly order: "close" };

/** What the peers say. */
export type News =
  /** Where they listen. */
  | { readonly news: "ports"; readonly ports: Readonly<Record<Side, number>> }
  /** A step of the caller's. */
  | { readonly news: "abort" | "drain" }
  /** All has been begun. */
  | { readonly news: "played" }
  /** Both connections are closed, or will not be. */
  | { readonly news: "closed"; readonly peers: Readonly<Record<Side, Facts>> };

/** What one peer has done, and seen. */
export interface Facts {
  /** Bytes that it was to send and has begun to, and those of them that its kernel has taken for sure. */
  readonly given: number;
  readonly sent: number;
  /** Bytes that it has got, and whether they are the first that the other has sent. */
  readonly received: number;
  readonly intact: boolean;
  /** How they ended. */
  readonly saw: "nothing" | "eof" | "reset";
  /** Whether it has ended its writing, after all that it was to send; how it has closed both directions. */
  readonly finished: boolean;
  readonly left?: "reset" | "close";
  /** What its own writing failed with. */
  readonly writeFailed?: string;
  /** Whether its socket is closed. */
  readonly closed: boolean;
  /** How long it took to begin all that was to be done, in milliseconds. */
  readonly ms: number;
}
