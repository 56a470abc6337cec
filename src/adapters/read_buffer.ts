import type { Bytes } from "./event_end.ts";

/** What an end that waits holds: enough for a message. */
const SMALL_READ = 4 * 1024;
/** More is slower: what has been read leaves the cache before it is written. */
export const LARGE_READ: number = 64 * 1024;
/** So many large buffers wait for the next end that needs one, whichever it is. */
const MAX_SPARE = 16;

const spare: ArrayBuffer[] = [];

/**
 * The memory that a platform reads into, and asks for before each read. A read that came short has emptied
 * the socket, so the next one will wait: with little. One that was filled is followed by a large one.
 * Large buffers are shared by all ends, as each is in use while data flows and no longer.
 */
export class ReadBuffer {
  #memory = new Uint8Array(SMALL_READ);
  /** A chunk of it is in use: the next read needs another. */
  #lent = false;
  #wantsMuch = false;
  #used = false;

  /** Whether the platform has asked for it. */
  get used(): boolean {
    return this.#used;
  }

  /** For the next read. */
  next(): Bytes {
    this.#used = true;
    const length = this.#wantsMuch ? LARGE_READ : SMALL_READ;
    if (this.#lent || this.#memory.length !== length) {
      if (!this.#lent) keep(this.#memory.buffer);
      const buffer = this.#wantsMuch ? spare.pop() : undefined;
      this.#memory = new Uint8Array(buffer ?? new ArrayBuffer(length));
      this.#lent = false;
    }
    return this.#memory;
  }

  /** What has been read: the receiver's for good, unless it says that it is spent. */
  lend(count: number): Bytes {
    const memory = this.#memory;
    this.#wantsMuch = count === memory.length;
    // Who keeps a little must not keep much more with it.
    if (count * 4 <= memory.length) return memory.slice(0, count);
    this.#lent = true;
    return memory.subarray(0, count);
  }

  /** Nobody uses a chunk any more. */
  spent({ buffer }: Bytes): void {
    if (buffer === this.#memory.buffer) this.#lent = false;
    else keep(buffer);
  }
}

function keep(buffer: ArrayBuffer): void {
  if (buffer.byteLength === LARGE_READ && spare.length < MAX_SPARE) spare.push(buffer);
}
