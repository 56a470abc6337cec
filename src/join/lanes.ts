// Opens both directions of a join, or neither; for `joining.ts` alone.

import { Meter } from "../core/meter.ts";
import { throttleFor } from "../core/throttle.ts";
import type { Direction } from "../counts.ts";
import type { JoinedEnd } from "./joined_end.ts";
import { Lane } from "./lane.ts";
import type { CheckedOptions } from "./options.ts";
import { PlatformSink } from "./platform_sink.ts";

/** Opens both directions of a join: locks everything, or nothing. */
export function openLanes(
  a: JoinedEnd,
  b: JoinedEnd,
  { limit, rate, pool, via, idleTimeout, stats = {} }: CheckedOptions,
): [Lane, Lane] {
  const byPlatform = via === "pipeTo";
  const open = (direction: Direction, from: JoinedEnd, to: JoinedEnd): Lane => {
    const counts = { bytes: 0, chunks: 0 };
    stats[direction] = counts;
    const meter = new Meter(counts);
    if (idleTimeout !== Infinity) meter.time();
    to.openSink(byPlatform ? new Meter() : meter);
    const { closed } = to.sink;
    if (byPlatform) to.wrapSink((sink) => new PlatformSink(sink, meter));
    from.openSource({ pool, permitsReuse: to.sink.permitsReuse, isSaid: closed !== undefined });
    const throttle = throttleFor(direction, limit[direction], rate[direction]);
    return new Lane(direction, from, to, meter, throttle);
  };
  try {
    const there = open("aToB", a, b);
    const back = open("bToA", b, a);
    there.meter.setOpposite(back.meter);
    back.meter.setOpposite(there.meter);
    a.sendAtOnce();
    b.sendAtOnce();
    return [there, back];
  } catch (error) {
    a.release();
    b.release();
    throw error;
  }
}
