// One direction of a join; for the files of a join alone.

import { type Failed, Pump, type PumpOwner } from "../core/pump.ts";
import type { Meter } from "../core/meter.ts";
import type { Throttle } from "../core/throttle.ts";
import type { Counts, Direction } from "../counts.ts";
import type { Failure } from "../errors.ts";
import type { JoinedEnd } from "./joined_end.ts";

/** Whom a lane tells. */
export interface LaneOwner {
  /** The lane has come to its source's end of file, or has failed: in a read, in a write, or at its limit. */
  onLaneEnd(lane: Lane, failed?: Failed): void;
  /** The stream of the source has closed; chunks that were read from it may still be on their way. */
  onSourceClosed(lane: Lane): void;
}

/** One direction of a join, from one of its ends to the other. */
export class Lane implements PumpOwner {
  readonly direction: Direction;
  readonly from: JoinedEnd;
  readonly to: JoinedEnd;
  readonly pump: Pump;
  #owner?: LaneOwner;
  #hasSourceEnded = false;
  /** How far the end of this lane has been handed on to the other end, which is half-closed if it can be. */
  #handOn: "unbegun" | "begun" | "done" = "unbegun";
  #failure?: Failure;
  #droppingSince?: number;

  constructor(
    direction: Direction,
    from: JoinedEnd,
    to: JoinedEnd,
    meter: Meter,
    throttle?: Throttle,
  ) {
    this.direction = direction;
    this.from = from;
    this.to = to;
    this.pump = new Pump(from.source, to.sink, meter, throttle);
  }

  get meter(): Meter {
    return this.pump.meter;
  }

  get counts(): Counts {
    return this.pump.counts;
  }

  /** Whether the end of file of the source has been read. */
  get hasSourceEnded(): boolean {
    return this.#hasSourceEnded;
  }

  get hasBegunHandOn(): boolean {
    return this.#handOn !== "unbegun";
  }

  /** Whether its end is handed on, and its source has ended or need not be waited for. */
  get isOver(): boolean {
    return this.#handOn === "done" && (this.#hasSourceEnded || !this.from.isWaitedFor);
  }

  /** How this direction has failed first. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** When a chunk last moved; now while it waits for the rate; once it drops chunks, when that began. */
  get lastActivity(): number {
    return this.#droppingSince ??
      (this.pump.isThrottled ? performance.now() : this.meter.lastActivity);
  }

  start(owner: LaneOwner): void {
    this.#owner = owner;
    this.pump.start(this);
  }

  onSourceClosed(): void {
    this.#owner!.onSourceClosed(this);
  }

  onPumpEnd(failed?: Failed): void {
    if (!failed) this.#hasSourceEnded = true;
    this.#owner!.onLaneEnd(this, failed);
  }

  /** Writes no more to `to`: chunks that were read, and that still come, are dropped. */
  giveSinkUp(): void {
    this.#droppingSince ??= performance.now();
    this.pump.giveSinkUp();
  }

  /** Reads on, and drops what comes up to the end of file. */
  discardRest(): void {
    this.#droppingSince ??= performance.now();
    this.pump.discardRest();
  }

  beginHandOn(): void {
    this.#handOn = "begun";
  }

  /** Stops passing on. What the source still sends is dropped, or left unread if `from` is to stay open. */
  cutSource(): void {
    if (this.#hasSourceEnded) return;
    if (!this.from.isLeftOpen) return this.discardRest();
    this.pump.halt();
    this.pump.source.release(false);
  }

  /** The end of this lane has been handed on. */
  endHandOn(): void {
    this.#handOn = "done";
  }

  /** Says where a failure belongs, and keeps the first: failures of dropping the rest are no news. */
  fail({ side, error }: Failed): Failure {
    const end = side && (side === "read" ? this.from : this.to).name;
    return this.#failure ??= { cause: error, direction: this.direction, side, end };
  }
}
