// Opens both directions of a join, or neither; for `joining.ts` alone.

import type { Direction } from "../counts.ts";
import type { CheckedOptions } from "./options.ts";
import type { JoinedEnd } from "./joined_end.ts";
import { Lane } from "./lane.ts";
import { Meter } from "../core/meter.ts";
import { PlatformLane } from "./platform_lane.ts";
import { shaperFor } from "../core/throttle.ts";

/** Both directions of a join; locks everything, or nothing. */
export function openLanes(
  a: JoinedEnd,
  b: JoinedEnd,
  { limit, rate, pool, via, idleTimeout, stats = {} }: CheckedOptions,
): [Lane, Lane] {
  const native = via === "pipeTo";
  const open = (direction: Direction, from: JoinedEnd, to: JoinedEnd): Lane => {
    const meter = new Meter(stats[direction] = { bytes: 0, chunks: 0 });
    if (idleTimeout !== Infinity) meter.time();
    to.openSink(native ? new Meter() : meter);
    const reused = to.sink.consumes && !native;
    from.openSource({ pool, reused, said: to.sink.closed !== undefined });
    const shaper = shaperFor(direction, limit[direction], rate[direction]);
    return new (native ? PlatformLane : Lane)(direction, from, to, meter, shaper);
  };
  try {
    const lanes: [Lane, Lane] = [open("aToB", a, b), open("bToA", b, a)];
    const [{ meter: there }, { meter: back }] = lanes;
    there.opposite = back.counts;
    back.opposite = there.counts;
    a.sendAtOnce();
    b.sendAtOnce();
    return lanes;
  } catch (error) {
    a.release();
    b.release();
    throw error;
  }
}
