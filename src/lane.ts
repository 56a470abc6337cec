import type { Counts, Direction, Failure } from "./errors.ts";
import type { Ending, Pump } from "./pump.ts";

/** One direction of a join, from one of its ends to the other. */
export class Lane {
  readonly direction: Direction;
  readonly pump: Pump;
  readonly from: "a" | "b";
  readonly to: "a" | "b";
  /** The source has ended; what it sent may still be on its way. */
  atEnd = false;
  /** Everything has been written, and the sink's end half-closed if it can be. */
  ended = false;
  failure?: Failure;

  constructor(direction: Direction, pump: Pump) {
    this.direction = direction;
    this.pump = pump;
    [this.from, this.to] = direction === "aToB" ? ["a", "b"] : ["b", "a"];
  }

  get counts(): Counts {
    const { bytes, chunks } = this.pump.meter.counts;
    return { bytes, chunks };
  }

  /** When something last moved: now, while it waits for its rate. */
  get lastActivity(): number {
    const { throttled, lastActivity } = this.pump.meter;
    return throttled ? performance.now() : lastActivity;
  }

  failed({ side, error }: Ending & { how: "failed" }): Failure {
    const end = side && (side === "read" ? this.from : this.to);
    return this.failure = { cause: error, direction: this.direction, side, end };
  }
}
