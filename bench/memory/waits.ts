/**
 * How long everything else waits while pipes have enough to do: sources that always have a chunk, sinks
 * that always have room.
 *
 * @module
 */
import type { Library } from "./contenders.ts";
import { Sink, sourceUntil } from "./sources.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What some pipes at once have let others wait for. */
export interface Wait {
  /** The longest time between ticks of a timer; or how late all have heard a signal. */
  readonly of: "tick" | "signal";
  readonly pipes: number;
  /** Milliseconds, of every round. */
  readonly ms: Readonly<Record<string, readonly number[]>>;
}

type Mover = (
  source: ReadableStream<Bytes>,
  sink: WritableStream<Bytes>,
  options?: { signal: AbortSignal },
) => Promise<unknown>;

/** Between ticks, if nobody is in the way. */
export const TICK_MS = 5;
/** Of `AbortSignal.timeout`. */
export const SIGNAL_MS = 200;
const CHUNK = 64 * 1024;

/**
 * Measures ours beside the platform's `pipeTo`, and tells each. A source ends after `ms` by its own look at the
 * clock, which lets whoever hears of no timer finish; more than that is not seen of a wait.
 */
export async function measureWaits(
  libraries: Readonly<Record<string, Library>>,
  { rounds, ms }: { rounds: number; ms: number },
  tell: (wait: Wait) => Promise<void> | void,
): Promise<void> {
  const movers: [string, Mover][] = [
    ...Object.entries(libraries).map(([tag, { pipe }]): [string, Mover] => [
      tag ? `pipe (${tag})` : "pipe",
      pipe,
    ]),
    ["pipeTo", (source, sink, options) => source.pipeTo(sink, options)],
  ];
  for (const [, mover] of movers) await longestGap(mover, 1, ms);
  for (const [of, measure] of [["tick", longestGap], ["signal", lateness]] as const) {
    for (const pipes of [1, 64]) {
      const all: Record<string, number[]> = Object.fromEntries(movers.map(([name]) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const [name, mover] of round % 2 === 0 ? movers : movers.toReversed()) {
          all[name]!.push(await measure(mover, pipes, ms));
        }
      }
      await tell({ of, pipes, ms: all });
    }
  }
}

async function longestGap(mover: Mover, pipes: number, ms: number): Promise<number> {
  let [last, longest] = [performance.now(), 0];
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(tick, TICK_MS);
  const ends = await keepBusy(mover, pipes, ms);
  tick();
  clearInterval(timer);
  if (ends.some((end) => end.status === "rejected")) throw new Error("a pipe has failed");
  return longest;
}

/** If they were not stopped at all, it is what they took after the signal was due. */
async function lateness(mover: Mover, pipes: number, ms: number): Promise<number> {
  const signal = AbortSignal.timeout(SIGNAL_MS);
  const started = performance.now();
  const ends = await keepBusy(mover, pipes, SIGNAL_MS + ms, { signal });
  const late = performance.now() - started - SIGNAL_MS;
  const other = ends.find((end) => end.status === "rejected" && end.reason !== signal.reason);
  if (other) throw new Error("a pipe has failed", { cause: other });
  return late;
}

async function keepBusy(
  mover: Mover,
  pipes: number,
  ms: number,
  options?: { signal: AbortSignal },
): Promise<PromiseSettledResult<unknown>[]> {
  const end = performance.now() + ms;
  return await Promise.allSettled(Array.from({ length: pipes }, async () => {
    const [sink, source] = [new Sink(), sourceUntil(CHUNK, end)];
    await mover(source.readable, sink, options);
    if (sink.bytes !== source.given()) {
      throw new Error(`${sink.bytes} of ${source.given()} bytes arrived`);
    }
  }));
}
