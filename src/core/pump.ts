// Moves chunks one way, and tells its owner how that ended. `join` and `pipe` have pumps.

import { byteLengthOf, payloadOf } from "../check/bytes.ts";
import type { Counts } from "../counts.ts";
import { LimitError } from "../errors.ts";
import type { Meter } from "./meter.ts";
import { followByAwait, ignoreOutcome, isPromise, type Stepper } from "./follow.ts";
import { ReusablePromise } from "./reusable_promise.ts";
import { Share } from "./share.ts";
import { discard, type Sink, type SinkWatcher, type Target, WRITTEN } from "./sink.ts";
import { EOF, NOTHING, type Source } from "./source.ts";
import { type Failed, StreamStates } from "./stream_states.ts";
import type { Throttle } from "./throttle.ts";

export type { Failed };

/** Whom a pump tells. */
export interface PumpOwner {
  /** Called at the end of the source, or with the first failure; once more after each `discardRest`. */
  onPumpEnd(failed?: Failed): void;
  /** The stream of the source has closed; chunks that were read from it may still be on their way. */
  onSourceClosed?(): void;
}

/**
 * How far a pump is. It reads only while `"running"`. It still writes what it has read while `"stopping"`, and
 * when it is `"over"`, which is to say that it has told its owner. Once `"halted"`, it does nothing more.
 */
type Phase = "unstarted" | "running" | "stopping" | "over" | "halted";

/**
 * What the next step takes the result of. A chunk is held during `"write"` and `"rate"`, and during `"room"` if the
 * throttle holds one. The value is kept when the wait is given up: whoever releases the source must know whether a
 * read is still pending.
 */
type Awaits = "nothing" | "read" | "write" | "room" | "rate" | "turn";

/** What a step gives that no other step follows. */
const STOP = Symbol("stop");

/**
 * Moves chunks from a source to a sink until one of the two ends, and reports that once: read ▸ meter ▸ write,
 * one chunk at a time. A result that is no promise is used at once, without a microtask.
 */
export class Pump implements Stepper, SinkWatcher {
  readonly source: Source;
  readonly sink: Sink;
  readonly meter: Meter;
  readonly #throttle?: Throttle;
  /** Where chunks go: to the sink, or nowhere once the sink has been given up. */
  #target: Target;
  #owner?: PumpOwner;
  #phase: Phase = "unstarted";
  #awaits: Awaits = "nothing";
  /** Incremented to invalidate every callback that is still pending. */
  #epoch = 0;
  /** `undefined` if neither end is a stream. */
  #states?: StreamStates;
  #isSourceOver = false;
  readonly #share = new Share();
  /** The callbacks for promises of a source that is no stream; made once an epoch, not once a wait. */
  #callbacks?: readonly [(result: unknown) => void, (error: unknown) => void];
  /** Ends the pump if the source's stream has closed and the pending read is not answered. */
  #unanswered?: ReturnType<typeof setTimeout>;
  /** Called whenever a read or a write may have settled, or has been given up; see `#until`. */
  #onStill?: () => void;

  constructor(source: Source, sink: Sink, meter: Meter, throttle?: Throttle) {
    this.source = source;
    this.sink = this.#target = sink;
    this.meter = meter;
    this.#throttle = throttle;
  }

  /** A copy of what has passed so far. */
  get counts(): Counts {
    const { bytes, chunks } = this.meter.counts;
    return { bytes, chunks };
  }

  /** Whether a read is pending, also if it has been given up. */
  get isReading(): boolean {
    return this.#awaits === "read";
  }

  /** Whether a read has found the end of the source, or its failure: there must be no further read. */
  get isSourceOver(): boolean {
    return this.#isSourceOver;
  }

  /** Whether a chunk that has been read may still be written. */
  get isWriting(): boolean {
    return !this.isDiscarding && this.isBusy;
  }

  /** As `isWriting`, but also true for a pending write to a sink that has been given up. */
  get isBusy(): boolean {
    return this.#isHolding || this.sink.pending === true;
  }

  /** Whether it waits for the rate. */
  get isThrottled(): boolean {
    return this.#throttle?.isWaiting === true;
  }

  /** Whether the sink has been given up. */
  get isDiscarding(): boolean {
    return this.#target === discard;
  }

  /** Whether the held chunk may fail in a way that no stream tells: at the limit, by a write to a Go-style sink. */
  get mayStillFail(): boolean {
    return this.#isHolding && (this.#throttle !== undefined || this.sink.closed === undefined);
  }

  /** Starts moving, unless it has been stopped; the owner is told once how that ended. */
  start(owner: PumpOwner): void {
    this.#owner = owner;
    this.sink.attach?.(this, this.source);
    if (!this.source.closed && !this.sink.closed) return this.goByStates();
    this.#states = new StreamStates();
    this.#states.follow(this.source, this.sink, (half) => this.#onStateChange(half));
    queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => this.goByStates())));
  }

  /** Called once the states of the streams are known: ends if they demand it, else begins to read if unstarted. */
  goByStates(): void {
    if (this.#isOver) return;
    if (this.#states) this.#states.areKnown = true;
    this.#checkStates();
    if (this.#phase === "unstarted") {
      this.#phase = "running";
      this.#go();
    }
  }

  /** Starts no further read; a chunk that has been read is still written. */
  stop(): void {
    if (!this.#isOver) this.#phase = "stopping";
  }

  /** Waits for the rate no more: what has been read passes at once. */
  skipWaiting(): void {
    this.#throttle?.skipWaiting();
  }

  /** Writes no further piece of the held chunk; `release` puts the rest back if the source is Go-style. */
  holdBack(): void {
    this.#throttle?.holdBack();
  }

  /** Fulfils once every chunk that has been read has been written, or could not be, or is given up. */
  async settled(): Promise<void> {
    // With a microtask to spare: workerd tells of a write before it is done with it.
    await this.#until(() => !this.isWriting);
  }

  /** Gives the sink up, and what is being written to it. While the pump runs it reads on, and drops what comes. */
  giveSinkUp(): void {
    if (this.isDiscarding) return;
    this.#discard();
    this.#onStill?.();
    if (this.isReading || this.#phase === "unstarted") return;
    if (this.#isHolding) this.source.abandonChunk();
    this.#throttle?.drop();
    this.#restart();
  }

  /** Drops all that still comes, even if stopped or over; tells its owner again at the end. Not once halted. */
  discardRest(): void {
    if (this.#phase === "halted") return;
    const isKnown = this.#states?.areKnown !== false;
    this.#phase = isKnown ? "running" : "unstarted";
    if (!this.isDiscarding) this.giveSinkUp();
    else if (isKnown && !this.isReading) this.#restart();
    this.#checkStates();
  }

  /** Takes a pending read of a stream back: its chunk stays there. Any other is given up: `release` keeps its bytes. */
  async cancelPendingRead(): Promise<void> {
    if (!this.source.cancelPull?.()) return this.#giveUp();
    await this.#until(() => !this.isReading);
  }

  /** Gives up whatever is under way: nothing further is read, written or reported. */
  halt(): void {
    this.#phase = "halted";
    this.#discard();
    this.#giveUp();
    clearTimeout(this.#unanswered);
  }

  /** Halts, keeps what is unread for the next reader where it can, unlocks both streams, gives the memory back. */
  release(): void {
    this.halt();
    const settled = !this.isReading && !(this.#isHolding && this.sink.permitsReuse);
    if (this.isReading) this.source.leavePendingRead?.();
    const unpassed = this.#throttle?.unpassed;
    if (unpassed?.length) this.source.putBack?.(unpassed);
    this.source.release(settled);
    this.sink.release();
  }

  onSinkFailed(error: unknown): void {
    this.#end({ side: "write", error });
  }

  onSinkClosing(): void {
    const message = "The writable was closed before everything was written to it";
    this.#end({ side: "write", error: new TypeError(message) });
  }

  onWriteSettled(): void {
    this.#onStill?.();
  }

  /** What it has waited for is there: goes on until it has to wait again. */
  onResult(result: unknown, epoch: number): void {
    const promise = this.resume(result, epoch);
    if (promise) this.#wait(promise, epoch);
  }

  /** What it has waited for has failed. */
  onError(error: unknown, epoch: number): void {
    if (epoch !== this.#epoch) return;
    const side = this.isReading ? "read" : "write";
    this.#awaits = "nothing";
    if (side === "read") this.#isSourceOver = true;
    else this.sink.writeFailed(error);
    // The stream of a sink tells by itself what has become of it.
    if (side === "read" || this.sink.closed === undefined) this.#end({ side, error });
    this.#onStill?.();
  }

  /** Steps until it has to wait. Gives what for, unless it is for nothing. */
  resume(result: unknown, epoch: number): PromiseLike<unknown> | undefined {
    if (epoch !== this.#epoch) return;
    try {
      do {
        result = this.#step(result);
        if (epoch !== this.#epoch) return void ignoreOutcome(result);
        if (isPromise(result)) return result;
      } while (result !== STOP);
    } catch (error) {
      return void this.onError(error, epoch);
    }
    this.#onStill?.();
  }

  get #isOver(): boolean {
    return this.#phase === "over" || this.#phase === "halted";
  }

  /** Whether it holds a chunk itself; chunks that a stream has queued are the sink's: `sink.pending`. */
  get #isHolding(): boolean {
    return this.#awaits === "write" || this.#awaits === "rate" ||
      this.#awaits === "room" && this.#throttle?.isHolding === true;
  }

  #onStateChange(half: "source" | "sink"): void {
    if (half === "source") {
      if (this.#states!.isSourceErrored) this.#isSourceOver = true;
      else if (!this.#isOver) this.#owner?.onSourceClosed?.();
    }
    this.#checkStates();
  }

  /** Ends if the states of the streams demand it. */
  #checkStates(): void {
    if (this.#isOver) return;
    const verdict = this.#states?.verdict(this);
    if (typeof verdict === "object") this.#end(verdict);
    else if (verdict === "end of file") this.#end();
    else if (verdict === "sink is closing") this.onSinkClosing();
    else if (verdict === "unanswered") {
      this.#unanswered ??= setTimeout(() => this.isReading && this.#end());
    }
  }

  /** Reports how it ended, if it has not yet. */
  #end(failed?: Failed): void {
    if (this.#isOver) return;
    this.#phase = "over";
    clearTimeout(this.#unanswered);
    this.#unanswered = undefined;
    this.#share.end();
    this.#owner?.onPumpEnd(failed);
  }

  #go(): void {
    this.onResult(undefined, this.#epoch);
  }

  #restart(): void {
    this.#giveUp();
    this.#awaits = "nothing";
    if (this.#phase === "running") this.#go();
  }

  /** Fulfils once `isSo`. */
  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const others = this.#onStill;
      const look = () => {
        others?.();
        if (isSo()) resolve();
      };
      this.#onStill = look;
      look();
    });
  }

  #discard(): void {
    this.#target = discard;
    this.sink.abandonWrites?.();
  }

  /** Gives up whatever it waits for. What it awaits stays known: a read may have to be left to others. */
  #giveUp(): void {
    this.#epoch++;
    this.#callbacks = undefined;
    this.skipWaiting();
    this.#share.end();
    this.#onStill?.();
  }

  /** Takes the result of what it has awaited. Gives the next one, a promise of it, or STOP. */
  #step(result: unknown): unknown {
    const target = this.#target;
    switch (this.#awaits) {
      case "read":
        return this.#onRead(result);
      case "rate":
        if (this.#throttle!.isHolding) return this.#writePiece();
        break;
      case "write":
        if (result !== WRITTEN) result = target.accept(result);
        if (result !== WRITTEN) return result;
        if (this.#throttle?.isHolding) return this.#admitPiece();
        break;
      case "room":
        if (this.#throttle?.isHolding) return this.#writePiece();
        if (target.full) return this.#onNoRoom();
    }
    this.#awaits = "nothing";
    if (this.#phase !== "running") return STOP;
    if (target.full) {
      this.#awaits = "room";
      return target.ready!();
    }
    if (this.#share.isUsedUp) {
      this.#awaits = "turn";
      return this.#share.next();
    }
    this.#awaits = "read";
    return this.source.pull(this.#throttle?.maxRead);
  }

  /**
   * A stream that is ready and has no room is closing (WritableStream, `ready` and `desiredSize`); one that is no
   * longer writable tells why in `closed`.
   */
  #onNoRoom(): typeof STOP {
    this.#awaits = "nothing";
    if (!this.#target.over) this.onSinkClosing();
    return STOP;
  }

  #onRead(result: unknown): unknown {
    const { source, meter } = this;
    const chunk = source.take(result);
    if (chunk === EOF) {
      this.#awaits = "nothing";
      this.#isSourceOver = true;
      this.#end();
      return STOP;
    }
    if (chunk === NOTHING) {
      this.#awaits = "turn";
      return this.#share.nextByTimer();
    }
    this.#awaits = "write";
    meter.touch();
    const size = source.isOfMessages ? payloadOf(chunk) : byteLengthOf(chunk);
    this.#share.spend(size, source.closed !== undefined, source.willWait === true);
    if (this.#throttle !== undefined && !this.isDiscarding) {
      this.#throttle.hold(chunk, size, source.isOfMessages === true);
      return this.#admitPiece();
    }
    const written = this.#target.write(chunk, size);
    // The source may have closed with this very chunk, unseen as long as the chunk was being read.
    if (this.#states?.isSourceClosed) this.#checkStates();
    return written;
  }

  #admitPiece(): unknown {
    this.#awaits = "rate";
    const admitted = this.#throttle!.admit();
    if (!(admitted instanceof LimitError)) return admitted ?? this.#writePiece();
    this.#awaits = "nothing";
    this.#end({ error: admitted });
    return STOP;
  }

  #writePiece(): unknown {
    const target = this.#target;
    if (this.#awaits !== "room" && target.full) {
      this.#awaits = "room";
      return target.ready!();
    }
    this.#awaits = "write";
    this.meter.touch();
    const { chunk, size } = this.#throttle!.next();
    return target.write(chunk, size);
  }

  #wait(promise: PromiseLike<unknown>, epoch: number): void {
    if (promise instanceof ReusablePromise) return promise.follow(this, epoch);
    if (this.source.closed instanceof Promise) return void followByAwait(this, promise, epoch);
    const callbacks = this.#callbacks ??= [
      (result) => this.onResult(result, epoch),
      (error) => this.onError(error, epoch),
    ];
    // Somebody's own thenable might call back twice, or at once.
    Promise.resolve(promise).then(...callbacks);
  }
}
