// What a pump writes to: the interfaces of sinks, and the one that discards. For the core alone.

import { byteLengthOf } from "../check/bytes.ts";

/** What {@linkcode Sink.write} returns when there is nothing to await and nothing to accept. */
export const WRITTEN = Symbol("written");

/**
 * Where chunks go. {@linkcode Target.write} starts a write and {@linkcode Target.accept} looks at its
 * result, for the same reason as in a source.
 */
export interface Target {
  /** Whether a chunk's memory may be used again once its write has settled. */
  readonly consumes: boolean;
  /** Whether backpressure forbids to read for it now. */
  readonly full?: boolean;
  /** Whether it can no longer be written to: erroring, errored or closed. */
  readonly over?: boolean;
  /** Whether a write is under way. */
  readonly pending?: boolean;
  /** Fulfils, never rejects, once it is no longer full or never will be. */
  ready?(): Promise<void>;
  /**
   * Starts a write of `chunk`, `size` bytes: {@linkcode WRITTEN}, or the result to accept before the
   * next read, or a promise of it.
   */
  write(chunk: unknown, size: number): unknown;
  /** Takes the result of a write, and writes what that has left: gives the same as `write`. */
  accept(result: unknown): unknown;
}

/** What can be written. */
export interface Sink extends Target {
  /** Follows the stream's state; `undefined` where only a write tells. */
  readonly closed?: Promise<unknown>;
  /** Whether the memory of what it is given is used again: each write is waited for then. */
  lent?: boolean;
  /** Told what neither a write nor `closed` tells. */
  watcher?: SinkWatcher;
  /** The write, or what it gave, has failed. */
  refuse(error: unknown): void;
  /** Ends writing after success. */
  end(): Promise<void>;
  /** Ends writing after a failure. */
  abort(reason: unknown): Promise<void>;
  /** Unlocks a stream that has ended, so that whatever it belongs to can be closed. */
  unlock?(): void;
  /** Of a write that is broken off: fulfils once it has settled, or a turn later. Its peer may have it by then. */
  lastWrite?(): Promise<void>;
  /** Unlocks; what settles from here on does not count. */
  release(): void;
}

/** Who writes to a sink. */
export interface SinkWatcher {
  /** It takes nothing more: with an error, or because somebody else is closing it. */
  closedEarly(error?: unknown): void;
  /** A write has settled that was not awaited. */
  writeSettled(): void;
  /** Where what is written comes from. */
  readonly source?: { readonly direct?: object };
}

/** Drops what it is given, uncounted. */
export const discard: Target = {
  consumes: true,
  write: () => WRITTEN,
  accept: () => WRITTEN,
};

/** Writes a whole chunk, as long as `goOn` says so. */
export async function writeWhole(
  target: Target,
  chunk: unknown,
  goOn: () => boolean = () => true,
  size: number = byteLengthOf(chunk),
): Promise<void> {
  if (target.full) await target.ready!();
  let written = goOn() ? target.write(chunk, size) : WRITTEN;
  while (written !== WRITTEN) {
    const result = await written;
    if (!goOn()) return;
    written = target.accept(result);
  }
}
