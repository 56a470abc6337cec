/**
 * In memory: `pipe` against the platform's `pipeTo`, plain and through a counting `TransformStream`,
 * for default and byte sources. Runs on any runtime; prints one JSON line a row.
 *
 * The contenders of a row take turns, round by round, so that a busy machine slows them alike; what
 * counts is the ratio of their medians.
 */
import { measure } from "mitata";
import { ByteCounterStream, pipe } from "../mod.ts";

const ROUNDS = 9;
const SIZES = [64, 1024, 64 * 1024, 1024 * 1024];
const MOST_CHUNKS = 1000;
const BYTES_A_RUN = 32 * 1024 * 1024;

/** A source that hands out the same chunk again and again, as one with a cache does. */
function defaultSource(size: number, chunks: number): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(size);
  let left = chunks;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(chunk);
      else controller.close();
    },
  });
}

/** A source that fills the buffer it is given, as a file or a socket does. */
function byteSource(size: number, chunks: number): ReadableStream<Uint8Array> {
  let left = size * chunks;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: size,
    pull(controller) {
      const request = controller.byobRequest!;
      if (left === 0) {
        controller.close();
        return request.respond(0);
      }
      const filled = Math.min(size, left, request.view!.byteLength);
      left -= filled;
      request.respond(filled);
    },
  });
}

const sources = { default: defaultSource, byte: byteSource };
const sink = () => new WritableStream({ write() {} });

/** The name of each contender says what a user would have written. */
const contenders = {
  pipe: (source: ReadableStream) => pipe(source, sink()),
  "pipe, consumesOnWrite": (source: ReadableStream) =>
    pipe(source, sink(), { consumesOnWrite: true }),
  pipeTo: (source: ReadableStream) => source.pipeTo(sink()),
  "pipeTo, counted": (source: ReadableStream) =>
    source.pipeThrough(new ByteCounterStream()).pipeTo(sink()),
};

export interface Row {
  source: string;
  size: number;
  /** Microseconds a chunk, the median of the rounds. */
  micros: Record<string, number>;
}

for (const [kind, source] of Object.entries(sources)) {
  for (const size of SIZES) {
    const chunks = Math.min(MOST_CHUNKS, Math.max(16, BYTES_A_RUN / size));
    const rounds: Record<string, number[]> = {};
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, run] of Object.entries(contenders)) {
        const { p50 } = await measure(async () => {
          await run(source(size, chunks));
        }, { min_cpu_time: 50e6, min_samples: 3, warmup_samples: 1 });
        (rounds[name] ??= []).push(p50 / 1000 / chunks);
      }
    }
    const micros = Object.fromEntries(
      Object.entries(rounds).map(([name, times]) => [name, median(times)]),
    );
    console.log(JSON.stringify({ source: kind, size, micros } satisfies Row));
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
