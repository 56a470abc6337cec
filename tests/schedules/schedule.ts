/**
 * What happens around a join of two TCP connections: what their peers do, and what its caller does.
 *
 * @module
 */
import type { Side } from "../support/sides.ts";

/** What a peer does. Steps are begun one after the other, none waits for what the one before began. */
export type PeerStep =
  /** Sends so many bytes, after what it sends already. */
  | { readonly do: "send"; readonly on: Side; readonly bytes: number; readonly chunk: number }
  /** FIN; RST; a close of both directions: after what it sends, or at once, which drops the rest of that. */
  | { readonly do: "finish"; readonly on: Side }
  | { readonly do: "reset" | "close"; readonly on: Side; readonly now: boolean }
  /** Closes after what it sends, and after the end of file that comes soon or not at all. */
  | { readonly do: "leave"; readonly on: Side }
  | { readonly do: "pause" | "resume"; readonly on: Side };

/** Something that happens. */
export type ScheduleStep =
  | PeerStep
  /** For so many milliseconds nothing, or until a peer has got so many bytes, which may never be. */
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "await"; readonly on: Side; readonly bytes: number }
  /** The caller's signals. */
  | { readonly do: "abort" | "drain" };

/** A socket, as it comes to be an end. */
export type SocketKind = "node" | "node, accepted" | "node, own memory" | "own" | "own, accepted";

/** One end: what it is made of, and whether the join gets its streams. */
export interface End {
  readonly kind: SocketKind;
  readonly streams: boolean;
}

/** A run: two ends, options, and what happens. Then both peers read on, and end. */
export interface Schedule {
  readonly a: End;
  readonly b: End;
  readonly via: "auto" | "pipeTo";
  readonly halfClose: "pass" | "end";
  /** Milliseconds. With it, a peer may stay silent at last rather than end. */
  readonly halfCloseTimeout?: number;
  readonly silent?: Side;
  readonly steps: readonly ScheduleStep[];
}
