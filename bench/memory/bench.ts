/**
 * The rounds, on whatever runtime this is loaded: the contenders take turns, so that a busy machine slows
 * them alike, and each round begins with another one.
 *
 * @module
 */
import { type Contender, type Library, ofLibrary, withoutLibrary } from "./contenders.ts";
import { byteSource, defaultSource, Sink } from "./sources.ts";

/** How much of it. */
export interface Settings {
  readonly rounds: number;
  /** Milliseconds a contender runs in each round: long beside the coarse clock of a page. */
  readonly batchMs: number;
  readonly sizes: readonly number[];
}

/** What a source of one size has given. */
export interface Row {
  readonly source: "default" | "byte";
  readonly size: number;
  /** Microseconds a chunk, of every round. */
  readonly micros: Readonly<Record<string, readonly number[]>>;
}

const SOURCES = { default: defaultSource, byte: byteSource } as const;
const MOST_CHUNKS = 1000;
const LEAST_CHUNKS = 16;
const BYTES_A_RUN = 32 * 1024 * 1024;

/** Measures, and tells each row. */
export async function bench(
  libraries: Readonly<Record<string, Library>>,
  { rounds, batchMs, sizes }: Settings,
  tell: (row: Row) => Promise<void> | void,
): Promise<void> {
  const contenders = Object.entries(named(libraries));
  for (const source of ["default", "byte"] as const) {
    for (const size of sizes) {
      const chunks = Math.min(MOST_CHUNKS, Math.max(LEAST_CHUNKS, BYTES_A_RUN / size));
      const move = async (contender: Contender) => {
        const sink = new Sink();
        await contender(SOURCES[source](size, chunks), sink, size);
        if (sink.bytes !== size * chunks) {
          throw new Error(`${sink.bytes} of ${size * chunks} bytes arrived`);
        }
      };
      const runs = new Map<Contender, number>();
      for (const [, contender] of contenders) {
        runs.set(contender, await warm(contender, move, batchMs));
      }
      const micros: Record<string, number[]> = Object.fromEntries(
        contenders.map(([name]) => [name, []]),
      );
      for (let round = 0; round < rounds; round++) {
        const first = round % contenders.length;
        for (
          const [name, contender] of [...contenders.slice(first), ...contenders.slice(0, first)]
        ) {
          const count = runs.get(contender)!;
          const started = performance.now();
          for (let run = 0; run < count; run++) await move(contender);
          micros[name]!.push((performance.now() - started) * 1000 / (count * chunks));
        }
      }
      await tell({ source, size, micros });
    }
  }
}

/** The library's own first, then what there is without it; a release's bear its name. */
function named(libraries: Readonly<Record<string, Library>>): Record<string, Contender> {
  const all: Record<string, Contender> = {};
  for (const [release, library] of Object.entries(libraries)) {
    for (const [name, contender] of Object.entries(ofLibrary(library))) {
      all[release ? `${name} (${release})` : name] = contender;
    }
  }
  return { ...all, ...withoutLibrary };
}

/** Runs it for as long as a round's batch takes; resolves to how many runs make one. */
async function warm(
  contender: Contender,
  move: (contender: Contender) => Promise<void>,
  batchMs: number,
): Promise<number> {
  let last = 0;
  let count = 0;
  const started = performance.now();
  while (performance.now() - started < batchMs || count < 3) {
    const before = performance.now();
    await move(contender);
    // A page's clock may not have moved.
    last = Math.max(0.1, performance.now() - before);
    count++;
  }
  const mean = (performance.now() - started) / count;
  return Math.max(1, Math.ceil(batchMs / Math.min(last, mean)));
}
