import type { Counts, Direction, Failure } from "./errors.ts";
import type { CheckedOptions } from "./join_options.ts";
import type { JoinedEnd } from "./joined_end.ts";
import type { Ending } from "./loop.ts";
import { Meter } from "./meter.ts";
import { PlatformPump } from "./platform_pump.ts";
import { Pump, type PumpOwner } from "./pump.ts";
import { shaperFor } from "./shaper.ts";

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

type Ends = Readonly<Record<"a" | "b", JoinedEnd>>;
type Meters = Readonly<Record<Direction, Meter>>;

/** Locks everything, or nothing. */
export function openLanes({ a, b }: Ends, meters: Meters, options: CheckedOptions): [Lane, Lane] {
  const aToB = openLane("aToB", a, b, meters.aToB, options);
  try {
    return [aToB, openLane("bToA", b, a, meters.bToA, options)];
  } catch (error) {
    aToB.pump.release();
    throw error;
  }
}

function openLane(
  direction: Direction,
  from: JoinedEnd,
  to: JoinedEnd,
  meter: Meter,
  { limit, rate, pool, via }: CheckedOptions,
): Lane {
  const native = via === "pipeTo";
  const sink = to.openSink(native ? new Meter() : meter);
  try {
    const source = from.openSource({ pool, reused: sink.consumes && !native });
    const shaper = shaperFor(limit[direction], rate[direction], direction);
    return new Lane(direction, new (native ? PlatformPump : Pump)(source, sink, meter, shaper));
  } catch (error) {
    sink.release();
    throw error;
  }
}
