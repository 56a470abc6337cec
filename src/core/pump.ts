// Moves chunks one way, and tells its owner how that ended; for `pipe()` and lanes.

import type { Counts } from "../counts.ts";
import { type Failed, Loop } from "./loop.ts";
import { discard, type SinkWatcher } from "./sink.ts";

/** Whom a pump tells how it ended. */
export interface PumpOwner {
  /** At the end of its source, or with the first failure. */
  pumpEnded(pump: Pump, failed?: Failed): void;
  /** The source's stream has closed; what was read from it may still be on its way. */
  sourceClosed?(pump: Pump): void;
}

interface Seen {
  sourceFailed?: Failed;
  sinkFailed?: Failed;
  sinkClosed?: boolean;
}

/**
 * Moves chunks from a source to a sink until one of them ends, and reports that once. It starts
 * nothing further then; what to do about it is its owner's business.
 */
export class Pump extends Loop implements SinkWatcher {
  /** What the streams were in before has shown; nothing has been read or written until then. */
  protected begun = false;
  #over = false;
  #owner?: PumpOwner;
  #timer?: ReturnType<typeof setTimeout>;
  /** What the streams' `closed` has told. */
  #seen?: Seen;

  /** A copy of what has passed so far. */
  get counts(): Counts {
    const { bytes, chunks } = this.meter.counts;
    return { bytes, chunks };
  }

  /** Starts moving; the owner is told once how it ended. */
  start(owner: PumpOwner): void {
    this.#owner = owner;
    const { source, sink } = this;
    sink.watcher = this;
    // What has been closed or errored before shows a microtask later, in workerd up to three, and must be
    // seen before a read.
    if (!source.closed && !sink.closed) return this.begin();
    source.closed?.then(
      () => {
        this.sourceHasClosed = true;
        if (!this.#over) this.#owner?.sourceClosed?.(this);
        this.check();
      },
      (error) => this.#saw({ sourceFailed: { side: "read", error } }),
    );
    sink.closed?.then(
      () => this.#saw({ sinkClosed: true }),
      (error) => this.#saw({ sinkFailed: { side: "write", error } }),
    );
    queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => this.begin())));
  }

  /** Goes by what the streams were in before, and reads unless it has been stopped. */
  protected begin(): void {
    if (this.#over) return;
    const first = !this.begun;
    this.begun = true;
    const { turn } = this;
    this.check();
    // What that has told may have made the owner start it anew.
    if (first && !this.stopped && turn === this.turn) this.go();
  }

  /** Starts no further read; a chunk that has been read is still written. */
  stop(): void {
    this.stopped = true;
  }

  /** Takes nothing more: what a waiting read would have brought stays in the source, or is left to others. */
  async leaveUnread(): Promise<void> {
    if (!this.source.giveReadUp) return this.giveUp();
    this.source.giveReadUp();
    await new Promise<void>((resolve) => this.onStill = resolve);
  }

  /** Whether a chunk has been read that may still be written. */
  protected get writing(): boolean {
    return this.target !== discard && (this.holding || !!this.target.pending);
  }

  /** Fulfils once every chunk that has been read has been written, or could not be, or is given up. */
  async settled(): Promise<void> {
    // With a microtask to spare: workerd tells of a write before it is done with it.
    await new Promise<void>((resolve) => {
      const others = this.onStill;
      const look = () => {
        others?.();
        if (!this.writing) resolve();
      };
      this.onStill = look;
      look();
    });
  }

  writeSettled(): void {
    this.onStill?.();
  }

  /** Ends if a stream's state demands it: the four conditions of ReadableStreamPipeTo, in its order. */
  override check(): void {
    if (this.#over) return;
    const { sourceFailed, sinkFailed, sinkClosed } = this.#seen ?? {};
    const sourceClosed = this.sourceHasClosed;
    const sinkGivenUp = this.target === discard;
    if (sourceFailed && !this.reading) {
      this.end(sourceFailed);
    } else if (!this.begun) {
      // What goes before the rest may not show yet.
    } else if (sinkFailed && !sinkGivenUp) {
      this.end(sinkFailed);
    } else if (sourceClosed && !this.reading && !this.#mayStillFail()) {
      this.end();
    } else if (sinkClosed && !sinkGivenUp) {
      this.closedEarly();
    } else if (sourceClosed && this.reading) {
      // A byte source that closes without byobRequest.respond(0) never answers the read (Streams standard,
      // ReadableByteStreamControllerClose); an answered one is at most some microtasks behind.
      this.#timer ??= setTimeout(() => {
        if (this.reading) this.end();
      });
    }
  }

  /** Gives the sink up, with whatever is under way to it: what the source still brings is dropped. */
  drain(): void {
    if (this.target === discard) return;
    this.target = discard;
    this.onStill?.();
    if (this.reading || !this.begun) return;
    if (this.holding) this.source.abandon();
    this.giveUp();
    this.holding = false;
    if (!this.stopped) this.go();
  }

  /** Its sink has failed: reads on, drops that, and tells anew how it ended. */
  dropRest(): void {
    this.stopped = this.#over = false;
    this.drain();
  }

  /** Gives up whatever is under way: nothing further is read, written or reported. */
  halt(): void {
    this.stopped = this.#over = true;
    this.target = discard;
    this.giveUp();
    clearTimeout(this.#timer);
  }

  release(): void {
    this.halt();
    const settled = !this.reading && !(this.holding && this.sink.consumes);
    if (this.reading) this.source.leaveRead?.();
    if (this.shaper?.rest?.length) this.source.putBack?.(this.shaper.rest);
    this.source.release(settled);
    this.sink.release();
  }

  /** Reports how it ended, if it is the first to tell. */
  protected override end(failed?: Failed): void {
    if (this.#over) return;
    this.stopped = this.#over = true;
    clearTimeout(this.#timer);
    this.rest();
    this.#owner?.pumpEnded(this, failed);
  }

  protected override writeFailed(error: unknown): void {
    this.holding = false;
    this.sink.refuse(error);
    // A stream tells by itself what became of it.
    if (this.sink.closed === undefined) this.end({ side: "write", error });
  }

  override closedEarly(
    error: unknown = new TypeError("The writable was closed before everything was written to it"),
  ): void {
    this.end({ side: "write", error });
  }

  /** A held chunk may be more than the limit lets pass, and only its write tells of a Go-style sink. */
  #mayStillFail(): boolean {
    return this.holding && (this.shaper !== undefined || this.sink.closed === undefined);
  }

  #saw(seen: Seen): void {
    this.#seen = { ...this.#seen, ...seen };
    if (seen.sourceFailed) this.sourceOver = true;
    this.check();
  }
}
