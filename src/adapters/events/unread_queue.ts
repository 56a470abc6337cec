// The chunks that wait unread at one end, and how much may wait at the ends of all adapters; for `event_end.ts`
// alone.

/** Bytes that may wait unread at one end. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** Bytes that may wait unread at all ends together, so that a thousand stalled joins do not hold 256 MiB. */
const MAX_UNREAD_BYTES_OF_ALL = 8 * 1024 * 1024;
/** The part of the room left to all ends that a single end may fill. */
const FAIR_SHARE = 1 / 16;

let unreadBytesOfAll = 0;

/** How many bytes may wait unread at one end now: fewer, the more bytes wait at all ends. */
export function fairUnreadBytes(): number {
  const fair = (MAX_UNREAD_BYTES_OF_ALL - unreadBytesOfAll) * FAIR_SHARE;
  return Math.max(1, Math.min(MAX_UNREAD_BYTES, fair));
}

/** Chunks that wait to be read, in the order in which they came. */
export class UnreadQueue<C> {
  /** The sum of the weights of the chunks in the queue. */
  bytes = 0;
  /** `undefined` until the first chunk has to wait: an idle end needs no array. */
  #chunks?: C[];

  push(chunk: C, weight: number): void {
    (this.#chunks ??= []).push(chunk);
    this.#add(weight);
  }

  /** Removes the oldest chunk. The caller must call {@linkcode UnreadQueue.subtract} with the chunk's weight. */
  shift(): C | undefined {
    return this.#chunks?.shift();
  }

  subtract(weight: number): void {
    this.#add(-weight);
  }

  clear(): void {
    this.#chunks = undefined;
    this.#add(-this.bytes);
  }

  #add(bytes: number): void {
    this.bytes += bytes;
    unreadBytesOfAll += bytes;
  }
}
