// The memory that Node's sockets read into; for `node.ts` alone.

import type { Bytes } from "../events/event_end.ts";

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
  /** Each may be lent: a chunk of it is in use, and the next read needs another. */
  #small = { memory: new Uint8Array(SMALL_READ), lent: false };
  #large?: { memory: Bytes; lent: boolean };
  #wantsMuch = false;
  #used = false;

  /** Whether the platform has asked for it. */
  get used(): boolean {
    return this.#used;
  }

  /** For the next read. */
  next(): Bytes {
    this.#used = true;
    if (this.#wantsMuch) {
      if (!this.#large || this.#large.lent) {
        this.#large = {
          memory: new Uint8Array(spare.pop() ?? new ArrayBuffer(LARGE_READ)),
          lent: false,
        };
      }
      return this.#large.memory;
    }
    if (this.#large && !this.#large.lent) keep(this.#large.memory.buffer);
    this.#large = undefined;
    if (this.#small.lent) this.#small = { memory: new Uint8Array(SMALL_READ), lent: false };
    return this.#small.memory;
  }

  /** What has been read: the receiver's for good, unless it says that it is spent. */
  lend(count: number): Bytes {
    const one = this.#large ?? this.#small;
    this.#wantsMuch = count === one.memory.length;
    // Who keeps a little must not keep much more with it.
    if (count * 4 <= one.memory.length) return one.memory.slice(0, count);
    one.lent = true;
    return one.memory.subarray(0, count);
  }

  /** Nobody uses a chunk any more. */
  spent({ buffer }: Bytes): void {
    const one = [this.#small, this.#large].find((one) => one?.memory.buffer === buffer);
    if (one) one.lent = false;
    else keep(buffer);
  }
}

function keep(buffer: ArrayBuffer): void {
  if (buffer.byteLength === LARGE_READ && spare.length < MAX_SPARE) spare.push(buffer);
}
