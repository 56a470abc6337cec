// What an adapter supplies to the bridge from its platform's events; for `event_end.ts` alone.

import type { Message } from "../../ends.ts";
import { fairUnreadBytes } from "./unread_queue.ts";

/**
 * The verbs that act on a platform's object: an adapter supplies them, and the bridge calls them.
 *
 * @typeParam C The chunks, both ways.
 */
export abstract class PlatformVerbs<C extends Message> {
  /** Whether backpressure forbids to send until `onDrain` is called. */
  protected abstract get isCongested(): boolean;

  /** Bytes that may wait unread before the platform is paused; fewer, the more bytes wait at all ends. */
  protected get highWaterBytes(): number {
    return fairUnreadBytes();
  }

  /** How many bytes a chunk counts while it waits unread. */
  protected weigh(chunk: C): number {
    return chunk.length;
  }

  /**
   * Sends a chunk. Returns how many bytes of it were taken; after 0 the chunk is sent again when
   * `onDrain` is called.
   */
  protected abstract send(chunk: C): number;
  /** Ends the writing; the adapter calls `onFinish` when the end has been sent. */
  protected abstract endWriting(): void;
  /** Closes both directions so that all that was sent still reaches the peer. */
  protected abstract disconnect(): void;
  /** Closes both directions so that the peer sees a failure. */
  protected abstract reset(reason: unknown): void | Promise<void>;
  /** Stops the delivery of what the peer sends. */
  protected abstract pause(): void;
  /** Starts the delivery of what the peer sends. */
  protected abstract resume(): void;
  /** Called when a join lets go of the end: removes listeners and hands the paused object back. */
  protected handBack?(): void;

  /**
   * Called when the end of file has been read by way of `readable`, or when it comes and nobody
   * reads: an end that cannot half-close cannot be written to from here on.
   */
  protected onEofRead?(): void;
}
