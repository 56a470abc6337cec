// One direction of a join; for the files of a join alone.

import type { Direction } from "../counts.ts";
import type { Failure } from "../errors.ts";
import type { JoinedEnd } from "./joined_end.ts";
import type { Failed } from "../core/loop.ts";
import type { Meter } from "../core/meter.ts";
import { Pump } from "../core/pump.ts";
import type { Shaper } from "../core/throttle.ts";

/** One direction of a join, from one of its ends to the other. */
export class Lane extends Pump {
  readonly direction: Direction;
  readonly from: JoinedEnd;
  readonly to: JoinedEnd;
  /** The end of file has been read. */
  sourceEnded = false;
  /** Everything read is being written, and the sink's end half-closed then if it can be ... */
  handingOn = false;
  /** ... which is done. */
  handedOn = false;
  failure?: Failure;
  #droppingSince?: number;

  constructor(
    direction: Direction,
    from: JoinedEnd,
    to: JoinedEnd,
    meter: Meter,
    shaper?: Shaper,
  ) {
    super(from.source, to.sink, meter, shaper);
    this.direction = direction;
    this.from = from;
    this.to = to;
  }

  /** Nothing is left to be done, or to be waited for. */
  get ended(): boolean {
    return this.handedOn && (this.sourceEnded || !this.from.isToEnd);
  }

  /** When something last moved: now, while it waits for its rate. What is dropped gets nowhere. */
  get lastActivity(): number {
    return this.#droppingSince ??
      (this.shaper?.throttled ? performance.now() : this.meter.lastActivity);
  }

  override drain(): void {
    this.#droppingSince ??= performance.now();
    super.drain();
  }

  /** Whether nothing that was read is still to be written. */
  get isStill(): boolean {
    return !this.writing;
  }

  /** Its sink gets nothing more: what still comes is dropped up to the end of file, or left unread. */
  cutShort(): void {
    if (this.from.left) {
      this.halt();
      this.source.release(false);
      return;
    }
    this.stopped = false;
    if (this.#droppingSince === undefined) this.drain();
    // Its sink was given up while it was stopped.
    else if (!this.reading) this.go();
  }

  /** Whether something that was read waits to be taken. */
  get busy(): boolean {
    return this.holding || this.sink.pending === true;
  }

  failed({ side, error }: Failed): Failure {
    const end = side && (side === "read" ? this.from : this.to).name;
    // What comes of dropping the rest is no news.
    return this.failure ??= { cause: error, direction: this.direction, side, end };
  }
}
