// What waits unread at an end, and how much may, of all that wait at the ends of all adapters; for
// `event_end.ts` alone.

/** Bytes that may wait unread at one end. */
const MAX_UNREAD = 256 * 1024;
/** The same at all ends: a thousand that have stalled must not hold as much each as one. */
const MAX_UNREAD_BY_ALL = 8 * 1024 * 1024;
/** One end may have one part in so many of what is left. */
const SHARES = 16;

let unreadByAll = 0;

/** Bytes that may wait unread at one end now: the less, the more wait at all ends. */
export function fairUnread(): number {
  return Math.max(1, Math.min(MAX_UNREAD, (MAX_UNREAD_BY_ALL - unreadByAll) / SHARES));
}

/** Chunks that wait to be read, the first that came first. */
export class UnreadQueue<C> {
  /** What they weigh together. */
  bytes = 0;
  #chunks?: C[];

  push(chunk: C, weight: number): void {
    (this.#chunks ??= []).push(chunk);
    this.#count(weight);
  }

  /** Gives the next one, whose weight is to be taken off. */
  shift(): C | undefined {
    return this.#chunks?.shift();
  }

  takeOff(weight: number): void {
    this.#count(-weight);
  }

  clear(): void {
    this.#chunks = undefined;
    this.#count(-this.bytes);
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    unreadByAll += bytes;
  }
}
