import type { Direction, Failure } from "./errors.ts";
import type { JoinedEnd } from "./joined_end.ts";
import type { Failed } from "./loop.ts";
import type { Meter } from "./meter.ts";
import { Pump } from "./pump.ts";
import type { Shaper } from "./shaper.ts";

/** One direction of a join, from one of its ends to the other. */
export class Lane extends Pump {
  readonly direction: Direction;
  readonly from: JoinedEnd;
  readonly to: JoinedEnd;
  /** Everything has been written, and the sink's end half-closed if it can be. */
  ended = false;
  failure?: Failure;
  /** Everything has been read. */
  sourceEnded = false;

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

  /** When something last moved: now, while it waits for its rate. */
  get lastActivity(): number {
    return this.shaper?.throttled ? performance.now() : this.meter.lastActivity;
  }

  /** Whether something that was read waits to be taken. */
  get busy(): boolean {
    return this.holding || this.sink.pending === true;
  }

  failed({ side, error }: Failed): Failure {
    const end = side && (side === "read" ? this.from : this.to).name;
    return this.failure = { cause: error, direction: this.direction, side, end };
  }
}
