// What `unread()` makes of a pair: the pair, locked, and bytes that come first. For `unread()`, and for whoever joins
// the pair.

import { UNREAD } from "../check/marks.ts";
import type { Pair } from "../ends.ts";
import { bypassOf, type BypassUser } from "./bypass.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * A pair, locked, and the bytes that come before all that it sends. Whoever joins takes the two apart: with a
 * stream in between, the end of a WebSocket would show in its writable before its readable.
 */
export class UnreadEnd implements BypassUser {
  readonly end: Pair<unknown, unknown>;
  #head?: Bytes;
  #lock?: { releaseLock(): void };

  constructor(end: Pair<unknown, unknown>, head: Bytes) {
    this.end = end;
    this.#head = head;
    const bypass = bypassOf(end);
    if (bypass) bypass.attach(this);
    else this.#lock = end.readable.getReader();
  }

  /** The bytes that come first; `undefined` once somebody has taken them. */
  get head(): Bytes | undefined {
    return this.#head;
  }

  /** Whether it still locks the pair, which nobody else has used yet. */
  get isLocking(): boolean {
    return this.#lock !== undefined || bypassOf(this.end)?.user === this;
  }

  /** Lets go of the pair, for whoever uses it from here on. */
  unlock(): void {
    this.#lock?.releaseLock();
    this.#lock = undefined;
    const bypass = bypassOf(this.end);
    if (bypass?.user === this) bypass.detach();
  }

  /** Whoever reads is told. */
  onFailure(): void {}

  takeHead(): void {
    this.#head = undefined;
  }

  putBack(bytes: Bytes): void {
    const head = this.#head ?? new Uint8Array();
    this.#head = new Uint8Array(bytes.length + head.length);
    this.#head.set(bytes);
    this.#head.set(head, bytes.length);
  }
}

/** What a pair by `unread()` consists of; `undefined` for any other, and once its streams have been asked for. */
export function unreadOf(end: unknown): UnreadEnd | undefined {
  return (Object(end) as { [UNREAD]?: UnreadEnd })[UNREAD];
}
