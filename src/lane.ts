import type { Counts, Direction, Failure } from "./errors.ts";
import type { Ending, Pump, PumpOwner } from "./pump.ts";

/** Whom a lane tells how it ended. */
export interface LaneOwner {
  sourceClosed(lane: Lane): void;
  laneEnded(lane: Lane, ending: Ending): void;
}

/** One direction of a join, from one of its ends to the other. */
export class Lane implements PumpOwner {
  readonly direction: Direction;
  readonly pump: Pump;
  /** Everything has been written, and the sink's end half-closed if it can be. */
  ended = false;
  failure?: Failure;
  #owner?: LaneOwner;

  constructor(direction: Direction, pump: Pump) {
    this.direction = direction;
    this.pump = pump;
  }

  get from(): "a" | "b" {
    return this.direction === "aToB" ? "a" : "b";
  }

  get to(): "a" | "b" {
    return this.direction === "aToB" ? "b" : "a";
  }

  get counts(): Counts {
    const { bytes, chunks } = this.pump.meter.counts;
    return { bytes, chunks };
  }

  /** When something last moved: now, while it waits for its rate. */
  get lastActivity(): number {
    return this.pump.shaper?.throttled ? performance.now() : this.pump.meter.lastActivity;
  }

  failed({ side, error }: Ending & { how: "failed" }): Failure {
    const end = side && (side === "read" ? this.from : this.to);
    return this.failure = { cause: error, direction: this.direction, side, end };
  }

  start(owner: LaneOwner): void {
    this.#owner = owner;
    this.pump.start(this);
  }

  sourceClosed(): void {
    this.#owner?.sourceClosed(this);
  }

  pumpEnded(ending: Ending): void {
    this.#owner?.laneEnded(this, ending);
  }
}
