// The source of a Go-style end; for the core alone.

import { assertSize } from "../check/refuse.ts";
import type { Awaitable, Reader } from "../ends.ts";
import { leavePendingRead, putBack, readNext } from "./pending_reads.ts";
import type { ReadMemory } from "./read_memory.ts";
import { EOF, NOTHING, type Source } from "./source.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** As many reads of 0 bytes in a row as Go's `bufio` bears before `io.ErrNoProgress`. */
const MAX_EMPTY_READS = 100;

/** A Go-style end, read into memory of ours. */
export class ReaderSource implements Source<number | null, Bytes> {
  readonly #reader: Reader;
  readonly #memory: ReadMemory;
  /** The memory of the last read. */
  #view?: Bytes;
  /** What the last read gave. */
  #read?: Awaitable<number | null>;
  #emptyReads = 0;

  constructor(reader: Reader, memory: ReadMemory) {
    this.#reader = reader;
    this.#memory = memory;
  }

  get reusesMemory(): boolean {
    return this.#memory.isReused;
  }

  get willWait(): boolean {
    return this.#memory.isSourceEmptied;
  }

  pull(most?: number): Awaitable<number | null> {
    this.#view = this.#memory.view(most);
    return this.#read = readNext(this.#reader, this.#view);
  }

  take(count: number | null): Bytes | typeof EOF | typeof NOTHING {
    if (count === null) return EOF;
    assertSize("read", "count", count, 0, this.#view!.length);
    if (count > 0) {
      this.#emptyReads = 0;
      return this.#memory.filled(count);
    }
    if (++this.#emptyReads < MAX_EMPTY_READS) return NOTHING;
    throw new Error(`${MAX_EMPTY_READS} reads in a row gave 0 bytes and no end of file`);
  }

  abandonChunk(): void {
    this.#memory.release(false);
  }

  leavePendingRead(): void {
    leavePendingRead(this.#reader, this.#read!, this.#view!);
  }

  putBack(bytes: Bytes): void {
    putBack(this.#reader, bytes);
  }

  async cancel(): Promise<void> {
    await this.#reader.close?.();
  }

  release(settled: boolean): void {
    this.#memory.release(settled);
  }
}
