import { byteLengthOf } from "./bytes.ts";
import type { Meter } from "./meter.ts";
import type { Shaper } from "./shaper.ts";
import { discard, type Sink, writeWhole, WRITTEN } from "./sink.ts";
import { EOF, NOTHING, type Source } from "./source.ts";

/** How a direction ended: at the end of its source, or with the first failure. */
export type Ending =
  | { readonly how: "eof" }
  | { readonly how: "failed"; readonly side?: "read" | "write"; readonly error: unknown };

/** Whom a pump tells how it ended. */
export interface PumpOwner {
  pumpEnded(ending: Ending): void;
  /** The source's stream has closed; what was read from it may still be on its way. */
  sourceClosed?(): void;
}

interface Seen {
  sourceClosed?: boolean;
  sinkClosed?: boolean;
  sourceError?: { readonly error: unknown };
  sinkError?: { readonly error: unknown };
}

/** Ends that answer at once, without a promise, would starve everything else: so often others run. */
const MOST_TURNS_WITHOUT_WAITING = 1024;

/**
 * Moves chunks from a source to a sink until one of them ends, and reports that once. It starts
 * nothing further then; what to do about it is its owner's business.
 */
export class Pump {
  readonly source: Source;
  readonly sink: Sink;
  readonly meter: Meter;
  readonly shaper?: Shaper;
  /** Where chunks go: the sink, or nowhere once it has been given up. */
  protected target: Sink;
  protected reading = false;
  /** Whether a chunk has been read and not yet been written. */
  protected holding = false;
  protected stopped = false;
  /** What was begun in an earlier turn has been given up and must not go on. */
  protected turn = 0;
  #live = false;
  #over = false;
  protected running?: Promise<void>;
  #owner?: PumpOwner;
  #timer?: ReturnType<typeof setTimeout>;
  /** Ends a wait in {@linkcode Pump.settled}. */
  protected givenUp?: () => void;
  /** What the streams' `closed` has told. */
  #seen?: Seen;

  constructor(source: Source, sink: Sink, meter: Meter, shaper?: Shaper) {
    this.source = source;
    this.sink = this.target = sink;
    this.meter = meter;
    this.shaper = shaper;
  }

  /** Starts moving; the owner is told once how it ended. */
  start(owner: PumpOwner): void {
    this.#owner = owner;
    const { source, sink } = this;
    // What has been closed or errored before shows a microtask later, and must be seen before a read.
    if (!source.closed && !sink.closed) return this.#begin();
    source.closed?.then(
      () => this.#saw({ sourceClosed: true }),
      (error) => this.#saw({ sourceError: { error } }),
    );
    sink.closed?.then(
      () => this.#saw({ sinkClosed: true }),
      (error) => this.#saw({ sinkError: { error } }),
    );
    sink.onClosing = () => this.closedEarly();
    queueMicrotask(() => this.#begin());
  }

  /** Starts no further read; a chunk that has been read is still written. */
  stop(): void {
    this.stopped = true;
  }

  /** Takes nothing more: what a waiting read would have brought stays in the source. */
  async leaveUnread(): Promise<void> {
    if (!this.reading || !this.source.giveReadUp) return;
    this.source.giveReadUp();
    await this.running;
  }

  /** Fulfils once every chunk that has been read has been written, or could not be, or is given up. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.givenUp = resolve;
      void this.written().then(resolve);
    });
  }

  /** Ends if a stream's state demands it: the four conditions of ReadableStreamPipeTo, in its order. */
  check(): void {
    if (this.#over || !this.#live || !this.#seen) return;
    const { sourceClosed, sourceError, sinkClosed, sinkError } = this.#seen;
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
    this.turn++;
    this.shaper?.hurry();
    this.holding = false;
    this.#go();
  }

  /** Gives up whatever is under way: nothing further is read, written or reported. */
  halt(): void {
    this.turn++;
    this.stopped = this.#over = true;
    this.shaper?.hurry();
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
  protected end(ending: Ending): void {
    if (this.#over) return;
    this.stopped = this.#over = true;
    clearTimeout(this.#timer);
    this.#owner?.pumpEnded(ending);
  }

  /** The source has closed and will never answer the read that waits. */
  protected closedUnanswered(): void {
    this.end({ how: "eof" });
  }

  protected writeFailed(error: unknown): void {
    this.holding = false;
    this.target.refuse(error);
    // A stream tells by itself what became of it.
    if (this.target.closed === undefined) this.end({ how: "failed", side: "write", error });
  }

  protected closedEarly(): void {
    const error = new TypeError("The writable was closed before everything was written to it");
    this.end({ how: "failed", side: "write", error });
  }

  /** The hot loop: read ▸ meter ▸ write. It awaits only what is a promise. */
  protected async move(turn: number): Promise<void> {
    const { source, meter, shaper } = this;
    let turnsWithoutWaiting = 0;
    try {
      while (!this.stopped) {
        const sink = this.target;
        if (sink.full) {
          const room = await this.#room(turn);
          if (!room || turn !== this.turn || this.stopped) return;
        }
        turnsWithoutWaiting++;

        this.reading = true;
        let result = source.pull();
        if (isPromise(result)) {
          result = await result;
          turnsWithoutWaiting = 0;
        }
        if (turn !== this.turn) return;
        const chunk = source.take(result);
        this.reading = false;
        if (chunk === EOF) return this.end({ how: "eof" });
        if (chunk === NOTHING) {
          await this.#othersRun();
          if (turn !== this.turn) return;
          continue;
        }

        this.holding = true;
        if (meter.timed) meter.touch();
        if (shaper !== undefined && this.target !== discard) {
          await this.#writeShaped(chunk, shaper, turn);
          if (turn !== this.turn) return;
        } else {
          const target = this.target;
          let written = target.write(chunk, byteLengthOf(chunk));
          // The source may have closed with this very chunk, unseen as long as it was being read.
          if (this.#seen?.sourceClosed) this.check();
          if (written !== WRITTEN) {
            if (isPromise(written)) {
              written = await written;
              turnsWithoutWaiting = 0;
            }
            if (turn !== this.turn) return;
            if (!target.accept(written)) {
              await this.#writeRest(target, turn);
              if (turn !== this.turn) return;
            }
          }
        }
        this.holding = false;
        if (turnsWithoutWaiting === MOST_TURNS_WITHOUT_WAITING) {
          await this.#othersRun();
          if (turn !== this.turn) return;
          turnsWithoutWaiting = 0;
        }
      }
    } catch (error) {
      if (turn === this.turn) this.#fail(error);
    }
  }

  /** A held chunk may be more than the limit lets pass, and only its write tells of a Go-style sink. */
  #mayStillFail(): boolean {
    return this.holding && (this.shaper !== undefined || this.target.closed === undefined);
  }

  #begin(): void {
    this.#live = true;
    this.check();
    this.#go();
  }

  #go(): void {
    if (!this.stopped) this.running = this.move(this.turn);
  }

  #saw(seen: Seen): void {
    this.#seen = { ...this.#seen, ...seen };
    if (seen.sourceClosed && !this.#over) this.#owner?.sourceClosed?.();
    this.check();
  }

  protected async written(): Promise<void> {
    const { turn, target } = this;
    do {
      if (this.holding) await this.running;
      await target.drained();
    } while (this.holding && turn === this.turn);
  }

  /** Waits out backpressure; `false` if nothing is to be read any more. */
  async #room(turn: number): Promise<boolean> {
    const sink = this.target;
    await sink.ready();
    if (turn !== this.turn || this.stopped) return false;
    if (!sink.full) return true;
    // A stream that is ready with no room is closing (WritableStream, `ready` and `desiredSize`); one
    // that is no longer writable tells why in `closed`.
    if (sink.writable) this.closedEarly();
    return false;
  }

  async #writeShaped(chunk: unknown, shaper: Shaper, turn: number): Promise<void> {
    const { target, meter } = this;
    const goOn = () => turn === this.turn;
    const error = await shaper.shape(chunk, !target.consumes, goOn, (piece) => {
      if (meter.timed) meter.touch();
      return writeWhole(target, piece, goOn);
    });
    if (error && goOn()) this.end({ how: "failed", error });
  }

  async #writeRest(target: Sink, turn: number): Promise<void> {
    let written: unknown;
    do {
      written = target.writeRest();
      if (isPromise(written)) written = await written;
      if (turn !== this.turn) return;
    } while (!target.accept(written));
  }

  /** A turn of the event loop; never ends once the pump has ended. */
  #othersRun(): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        resolve();
      });
    });
  }

  #fail(error: unknown): void {
    if (this.reading) {
      this.reading = false;
      return this.end({ how: "failed", side: "read", error });
    }
    this.writeFailed(error);
  }
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
