import type { Bytes } from "./event_end.ts";

const SMALLEST_BYTES = 4 * 1024;
/** More is slower: what has been read leaves the cache before it is written. */
const LARGEST_BYTES = 64 * 1024;
const GROWTH = 4;

/**
 * The memory that a platform reads into, and asks for before each read. It is used again if nobody has
 * what was read last, and grows with reads that fill it.
 */
export class ReadBuffer {
  #memory = new Uint8Array(SMALLEST_BYTES);
  /** Came back when another had taken its place. */
  #spare?: ArrayBuffer;
  #lent = false;

  /** For the next read. */
  next(): Bytes {
    if (this.#lent) {
      this.#memory = new Uint8Array(this.#spare ?? new ArrayBuffer(this.#memory.byteLength));
      this.#spare = undefined;
      this.#lent = false;
    }
    return this.#memory;
  }

  /** What has been read: the receiver's, until it says that it is spent. */
  lend(count: number): Bytes {
    const memory = this.#memory;
    if (count === memory.length && count < LARGEST_BYTES) {
      this.#memory = new Uint8Array(count * GROWTH);
      this.#spare = undefined;
      return memory;
    }
    this.#lent = true;
    return memory.subarray(0, count);
  }

  spent({ buffer }: Bytes): void {
    const { byteLength } = this.#memory;
    if (buffer === this.#memory.buffer) this.#lent = false;
    else if (buffer.byteLength === byteLength) this.#spare = buffer;
  }
}
