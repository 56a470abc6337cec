/**
 * The rounds, on whatever runtime this is loaded: the contenders take turns, so that a busy machine slows
 * them alike; each round has another order.
 *
 * @module
 */
import { type Contender, type Library, ofLibrary, withoutLibrary } from "./contenders.ts";
import { byteSource, defaultSource, Sink } from "./sources.ts";
import { measureWaits, type Wait } from "./waits.ts";

/** How much of it. */
export interface Settings {
  readonly rounds: number;
  /** Milliseconds a contender runs in each round: long beside the coarse clock of a page. */
  readonly batchMs: number;
  /** The same before the first one. */
  readonly warmMs: number;
  readonly sizes: readonly number[];
  /** Rows and contenders, as {@linkcode keyOf} names them; all if it is left out. */
  readonly wanted?: readonly string[];
  /** Milliseconds in which pipes let others wait; if it is left out, that is not measured. */
  readonly waitsMs?: number;
}

/** What a source of one size has given. */
export interface Row {
  readonly source: "default" | "byte";
  readonly size: number;
  /** Microseconds a chunk, of every round. */
  readonly micros: Readonly<Record<string, readonly number[]>>;
}

const SOURCES = { default: defaultSource, byte: byteSource } as const;
const MOST_CHUNKS = 10_000;
const LEAST_CHUNKS = 16;
const BYTES_A_RUN = 1024 ** 3;

/** Names what one contender does in one row. */
export function keyOf(source: string, size: number, contender: string): string {
  return `${source} ${size} ${contender}`;
}

/** Measures, and tells each row and wait. */
export async function bench(
  libraries: Readonly<Record<string, Library>>,
  settings: Settings,
  tell: (result: Row | Wait) => Promise<void> | void,
): Promise<void> {
  const all = named(libraries);
  const { wanted, rounds, waitsMs } = settings;
  for (const source of ["default", "byte"] as const) {
    for (const size of settings.sizes) {
      const contenders = all.filter(([name]) =>
        wanted?.includes(keyOf(source, size, name)) ?? true
      );
      if (contenders.length === 0) continue;
      const micros = await measure(contenders, source, size, settings);
      await tell({ source, size, micros });
    }
  }
  if (waitsMs !== undefined) await measureWaits(libraries, { rounds, ms: waitsMs }, tell);
}

/** Those of the same name beside each other; a release's has its tag behind it. */
function named(libraries: Readonly<Record<string, Library>>): [string, Contender][] {
  const sides = Object.entries(libraries).map(([tag, library]) =>
    Object.entries(ofLibrary(library)).map(([name, contender]): [string, Contender] => [
      tag ? `${name} (${tag})` : name,
      contender,
    ])
  );
  const beside = sides[0]!.flatMap((_, index) => sides.map((side) => side[index]!));
  return [...beside, ...Object.entries(withoutLibrary)];
}

async function measure(
  contenders: readonly [string, Contender][],
  source: Row["source"],
  size: number,
  { rounds, batchMs, warmMs }: Settings,
): Promise<Record<string, number[]>> {
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
    runs.set(contender, await warm(contender, move, { batchMs, warmMs }));
  }
  const micros: Record<string, number[]> = Object.fromEntries(
    contenders.map(([name]) => [name, []]),
  );
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    const order = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const [name, contender] of round % 2 === 0 ? order : order.toReversed()) {
      const count = runs.get(contender)!;
      const started = performance.now();
      for (let run = 0; run < count; run++) await move(contender);
      micros[name]!.push((performance.now() - started) * 1000 / (count * chunks));
    }
  }
  return micros;
}

/** Lets the engine compile it; resolves to how many runs make a batch. */
async function warm(
  contender: Contender,
  move: (contender: Contender) => Promise<void>,
  { batchMs, warmMs }: Pick<Settings, "batchMs" | "warmMs">,
): Promise<number> {
  let count = 0;
  const started = performance.now();
  while (performance.now() - started < warmMs || count < 3) {
    await move(contender);
    count++;
  }
  // As long as the last of them took, now that it is compiled.
  const before = performance.now();
  for (let run = 0; run < 3; run++) await move(contender);
  const last = Math.max(0.1, performance.now() - before) / 3;
  return Math.max(1, Math.ceil(batchMs / last));
}
