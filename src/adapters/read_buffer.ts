import type { Bytes } from "./event_end.ts";

const SMALLEST_READ = 4 * 1024;
/** More is slower: what has been read leaves the cache before it is written. */
export const LARGEST_READ = 64 * 1024;
const GROWTH = 4;
/** So many reads in a row that leave most of it empty make it smaller. */
const PATIENCE = 8;

/**
 * The memory that a platform reads into, and asks for before each read. It is used again if nobody has
 * what was read last, and follows the traffic.
 */
export class ReadBuffer {
  #memory = new Uint8Array(SMALLEST_READ);
  /** Came back when another had taken their place; of the same length. */
  readonly #spare: ArrayBuffer[] = [];
  #lent = false;
  #used = false;
  #smallReads = 0;

  /** Whether the platform has asked for it. */
  get used(): boolean {
    return this.#used;
  }

  /** For the next read. */
  next(): Bytes {
    this.#used = true;
    if (this.#lent) this.#replace(this.#memory.length);
    return this.#memory;
  }

  /** What has been read: the receiver's for good, unless it says that it is spent. */
  lend(count: number): Bytes {
    const memory = this.#memory;
    const { length } = memory;
    // Who keeps a little must not keep much more with it.
    if (count * GROWTH <= length) {
      const chunk = memory.slice(0, count);
      if (++this.#smallReads >= PATIENCE && length > SMALLEST_READ) this.#replace(length / GROWTH);
      return chunk;
    }
    this.#lent = true;
    this.#smallReads = 0;
    if (count === length && length < LARGEST_READ) this.#replace(length * GROWTH);
    return memory.subarray(0, count);
  }

  spent({ buffer }: Bytes): void {
    if (buffer === this.#memory.buffer) this.#lent = false;
    else if (buffer.byteLength === this.#memory.length) this.#spare.push(buffer);
  }

  #replace(length: number): void {
    if (length !== this.#memory.length) this.#spare.length = 0;
    this.#memory = new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(length));
    this.#lent = false;
    this.#smallReads = 0;
  }
}
