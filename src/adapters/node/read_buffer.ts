// The memory that sockets of Node read into; for `end.ts` alone.

import { PROBE_SIZE } from "../../core/read_memory.ts";
import type { Bytes } from "../events/event_end.ts";

/** Bytes of a large buffer. With more, what was read leaves the CPU's cache before it is written: slower. */
export const LARGE_READ_BYTES: number = 64 * 1024;
/** How many unused large buffers are kept for the next end that needs one. */
const MAX_SPARE_BUFFERS = 16;

const spareBuffers: ArrayBuffer[] = [];

/** A buffer, and whether a chunk of it is in use, so that the next read needs another buffer. */
interface Buffer {
  readonly memory: Bytes;
  isLent: boolean;
}

/**
 * The memory that a socket reads into, and asks for before each read (`onread`).
 *
 * As in `core/read_memory.ts` the buffer follows the traffic: a read that came short has emptied the socket, so
 * that the next read will wait, and waits with a buffer of {@linkcode PROBE_SIZE}. Unlike there, the socket asks
 * for memory before it knows whether anything will come, and goes on reading while a chunk is being written. So
 * there are two sizes only, two buffers may be in use by turns, and the pool of the join, which bounds what one
 * reader holds, has no say.
 */
export class ReadBuffer {
  #small: Buffer = newBuffer(PROBE_SIZE);
  #large?: Buffer;
  /** Whether the last read filled its buffer. */
  #wasFilled = false;
  #isUsed = false;

  /** Whether the platform has asked for memory; Deno and Bun do not. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** The memory for the next read. */
  next(): Bytes {
    this.#isUsed = true;
    if (this.#wasFilled) {
      if (!this.#large || this.#large.isLent) {
        this.#large = newBuffer(LARGE_READ_BYTES, spareBuffers.pop());
      }
      return this.#large.memory;
    }
    if (this.#large && !this.#large.isLent) keep(this.#large.memory.buffer);
    this.#large = undefined;
    if (this.#small.isLent) this.#small = newBuffer(PROBE_SIZE);
    return this.#small.memory;
  }

  /** Makes a chunk of what was read. The chunk is the receiver's until {@linkcode ReadBuffer.giveBack}, if ever. */
  lend(count: number): Bytes {
    const buffer = this.#large ?? this.#small;
    const { memory } = buffer;
    this.#wasFilled = count === memory.length;
    // A receiver that keeps a small chunk must not keep a large buffer by it.
    if (count * 4 <= memory.length) return memory.slice(0, count);
    buffer.isLent = true;
    return memory.subarray(0, count);
  }

  /** Takes back a chunk that nobody uses any more. */
  giveBack({ buffer }: Bytes): void {
    const own = [this.#small, this.#large].find((one) => one?.memory.buffer === buffer);
    if (own) own.isLent = false;
    else keep(buffer);
  }
}

function newBuffer(size: number, memory = new ArrayBuffer(size)): Buffer {
  return { memory: new Uint8Array(memory), isLent: false };
}

function keep(buffer: ArrayBuffer): void {
  if (buffer.byteLength === LARGE_READ_BYTES && spareBuffers.length < MAX_SPARE_BUFFERS) {
    spareBuffers.push(buffer);
  }
}
