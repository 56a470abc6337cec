import { type Ending, Loop } from "./loop.ts";
import { discard, type SinkWatcher } from "./sink.ts";

/** Whom a pump tells how it ended. */
export interface PumpOwner {
  pumpEnded(ending: Ending): void;
  /** The source's stream has closed; what was read from it may still be on its way. */
  sourceClosed?(): void;
}

interface Seen {
  sinkClosed?: boolean;
  sourceError?: { readonly error: unknown };
  sinkError?: { readonly error: unknown };
}

/**
 * Moves chunks from a source to a sink until one of them ends, and reports that once. It starts
 * nothing further then; what to do about it is its owner's business.
 */
export class Pump extends Loop implements SinkWatcher {
  #live = false;
  #over = false;
  #owner?: PumpOwner;
  #timer?: ReturnType<typeof setTimeout>;
  /** Ends a wait in {@linkcode Pump.settled}. */
  protected givenUp?: () => void;
  /** What the streams' `closed` has told. */
  #seen?: Seen;

  /** Starts moving; the owner is told once how it ended. */
  start(owner: PumpOwner): void {
    this.#owner = owner;
    const { source, sink } = this;
    sink.watcher = this;
    // What has been closed or errored before shows a microtask later, in workerd up to three, and must be
    // seen before a read.
    if (!source.closed && !sink.closed) return this.#begin();
    source.closed?.then(
      () => {
        this.sourceHasClosed = true;
        if (!this.#over) this.#owner?.sourceClosed?.();
        this.check();
      },
      (error) => this.#saw({ sourceError: { error } }),
    );
    sink.closed?.then(
      () => this.#saw({ sinkClosed: true }),
      (error) => this.#saw({ sinkError: { error } }),
    );
    queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => this.#begin())));
  }

  /** Starts no further read; a chunk that has been read is still written. */
  stop(): void {
    this.stopped = true;
  }

  /** Takes nothing more: what a waiting read would have brought stays in the source. */
  async leaveUnread(): Promise<void> {
    if (!this.reading || !this.source.giveReadUp) return;
    this.source.giveReadUp();
    await this.still();
  }

  /** Fulfils once every chunk that has been read has been written, or could not be, or is given up. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.givenUp = resolve;
      void this.written().then(resolve);
    });
  }

  /** Ends if a stream's state demands it: the four conditions of ReadableStreamPipeTo, in its order. */
  override check(): void {
    if (this.#over || !this.#live) return;
    const { sourceError, sinkClosed, sinkError } = this.#seen ?? {};
    const sourceClosed = this.sourceHasClosed;
    const sinkGivenUp = this.target === discard;
    if (sourceError && !this.reading) {
      this.end({ how: "failed", side: "read", error: sourceError.error });
    } else if (sinkError && !sinkGivenUp) {
      this.end({ how: "failed", side: "write", error: sinkError.error });
    } else if (sourceClosed && !this.reading && !this.#mayStillFail()) {
      this.end({ how: "eof" });
    } else if (sinkClosed && !sinkGivenUp) {
      this.closedEarly();
    } else if (sourceClosed && this.source.mayForgetReads) {
      // A read that has been answered is at most some microtasks behind.
      this.#timer ??= setTimeout(() => {
        if (this.reading) this.closedUnanswered();
      });
    }
  }

  /** Gives the sink up, with whatever is under way to it: what the source still brings is dropped. */
  drain(): void {
    if (this.target === discard) return;
    this.target = discard;
    this.givenUp?.();
    if (this.reading || !this.#live) return;
    if (this.holding) this.source.abandon();
    this.giveUp();
    this.holding = false;
    if (!this.stopped) this.go();
  }

  /** Gives up whatever is under way: nothing further is read, written or reported. */
  halt(): void {
    this.stopped = this.#over = true;
    this.giveUp();
    this.givenUp?.();
    clearTimeout(this.#timer);
  }

  release(): void {
    this.halt();
    const settled = !this.reading && !(this.holding && this.target.consumes);
    this.source.release(settled);
    this.sink.release();
  }

  /** Reports how it ended, if it is the first to tell. */
  protected override end(ending: Ending): void {
    if (this.#over) return;
    this.stopped = this.#over = true;
    clearTimeout(this.#timer);
    this.rest();
    this.#owner?.pumpEnded(ending);
  }

  /** The source has closed and will never answer the read that waits. */
  protected closedUnanswered(): void {
    this.end({ how: "eof" });
  }

  protected override writeFailed(error: unknown): void {
    this.holding = false;
    this.target.refuse(error);
    // A stream tells by itself what became of it.
    if (this.target.closed === undefined) this.end({ how: "failed", side: "write", error });
  }

  override closedEarly(
    error: unknown = new TypeError("The writable was closed before everything was written to it"),
  ): void {
    this.end({ how: "failed", side: "write", error });
  }

  /** A held chunk may be more than the limit lets pass, and only its write tells of a Go-style sink. */
  #mayStillFail(): boolean {
    return this.holding && (this.shaper !== undefined || this.target.closed === undefined);
  }

  #begin(): void {
    this.#live = true;
    this.check();
    if (!this.stopped) this.go();
  }

  #saw(seen: Seen): void {
    this.#seen = { ...this.#seen, ...seen };
    this.check();
  }

  protected async written(): Promise<void> {
    const { turn, target } = this;
    do {
      if (this.holding) await this.still();
      await target.drained();
    } while (this.holding && turn === this.turn);
  }
}
