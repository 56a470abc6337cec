// What a pump writes to: the interfaces of sinks, and the target that discards. For the core, and for adapters
// with a sink of their own.

import { byteLengthOf } from "../check/bytes.ts";
import type { Soon } from "./reusable_promise.ts";
import type { Source } from "./source.ts";

/** What {@linkcode Target.write} gives when there is nothing to wait for and nothing to accept. */
export const WRITTEN: unique symbol = Symbol("written");

/** What a write gives: {@linkcode WRITTEN}, or a result to be accepted before the next read, or a promise of it. */
export type Writing<R> = typeof WRITTEN | Soon<R>;

/**
 * Where chunks go. {@linkcode Target.write} starts a write and {@linkcode Target.accept} looks at its result, in
 * two steps as in a {@linkcode Source}: so the pump waits for the platform's own promise, and for no second one.
 *
 * @typeParam R What the platform's write gives.
 */
export interface Target<R = unknown> {
  /** Whether a chunk's memory may be used again once its write has settled. */
  readonly permitsReuse: boolean;
  /** Whether backpressure forbids to read for it now. */
  readonly full?: boolean;
  /** Whether it can no longer be written to: erroring, errored or closed. */
  readonly over?: boolean;
  /** Whether a write is under way. */
  readonly pending?: boolean;
  /** Fulfils, never rejects, once it is no longer full or never will be. */
  ready?(): Promise<void>;
  /** Starts a write of `chunk`, which counts `size` bytes. */
  write(chunk: unknown, size: number): Writing<R>;
  /** Takes the result of a write, and starts a further write of what is left. */
  accept(result: R): Writing<R>;
}

/** Where chunks go, and what ends that. Exactly one pump, or one stream, uses it. */
export interface Sink<R = unknown> extends Target<R> {
  /** Follows the stream's state; `undefined` where only a write tells. */
  readonly closed?: Promise<unknown>;
  /** Called once, before the first write, with whom to tell and where the chunks will come from. */
  attach?(watcher: SinkWatcher, source: Source): void;
  /** The promise that a write gave has rejected. */
  writeFailed(error: unknown): void;
  /** The pump has given it up: a write that is under way need not go on, and its outcome is of no interest. */
  abandonWrites?(): void;
  /** Ends the writing after success. */
  end(): Promise<void>;
  /** Ends the writing after a failure. */
  abort(reason: unknown): Promise<void>;
  /** Unlocks a stream that has ended, so that whatever the stream belongs to can be closed. */
  unlock?(): void;
  /** Fulfils once a write that is broken off has settled, or a turn later: its peer may have the bytes by then. */
  lastWriteSettled?(): Promise<void>;
  /** Unlocks. What settles from here on does not count. */
  release(): void;
}

/** What a sink tells its pump that neither a write nor {@linkcode Sink.closed} tells. */
export interface SinkWatcher {
  /** The sink takes nothing more. */
  onSinkFailed(error: unknown): void;
  /** Somebody else is closing the sink. */
  onSinkClosing(): void;
  /** A write has settled that the pump has not waited for. */
  onWriteSettled(): void;
}

/** Drops what it is given, uncounted. */
export const discard: Target = {
  permitsReuse: true,
  write: () => WRITTEN,
  accept: () => WRITTEN,
};

/** Writes a whole chunk of `size` bytes, as long as `isCurrent` says so. */
export async function writeWhole(
  target: Target,
  chunk: unknown,
  isCurrent: () => boolean = () => true,
  size: number = byteLengthOf(chunk),
): Promise<void> {
  if (target.full) await target.ready!();
  let written = isCurrent() ? target.write(chunk, size) : WRITTEN;
  while (written !== WRITTEN) {
    const result = await written;
    if (!isCurrent()) return;
    written = target.accept(result);
  }
}
