// What `unread()` makes of a pair: bytes that come first, then the pair's own source. For `unread()`, and for
// whoever joins the pair.

import { UNREAD } from "../check/marks.ts";
import type { Pair } from "../ends.ts";
import { bypassOf, type BypassUser } from "./bypass.ts";
import type { Followable, Source } from "./source.ts";

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

/** The pair's own source, behind the bytes that come first. */
export class UnreadSource implements Source {
  readonly closed?: Followable;
  readonly reusesMemory: boolean;
  readonly #source: Source;
  readonly #unread: UnreadEnd;
  /** The head is the result of the present read. */
  #givesHead = false;
  /** Tells what has become of the pair while its head was unread. */
  #tellState?: () => void;

  constructor(source: Source, unread: UnreadEnd) {
    this.#source = source;
    this.#unread = unread;
    this.reusesMemory = source.reusesMemory;
    const { closed } = source;
    if (!closed) return;
    this.closed = {
      then: (fulfilled, rejected) =>
        closed.then(
          () => this.#afterHead(fulfilled),
          (error) => this.#afterHead(() => rejected(error)),
        ),
    };
  }

  get willWait(): boolean {
    return this.#source.willWait === true;
  }

  pull(most?: number): unknown {
    const { head } = this.#unread;
    this.#givesHead = head !== undefined;
    return head ?? this.#source.pull(most);
  }

  take(result: unknown): unknown {
    if (!this.#givesHead) return this.#source.take(result);
    this.#givesHead = false;
    this.#unread.takeHead();
    if (this.#tellState) queueMicrotask(this.#tellState);
    return result;
  }

  abandonChunk(): void {
    this.#source.abandonChunk();
  }

  cancel(reason: unknown): void | Promise<void> {
    return this.#source.cancel(reason);
  }

  unlock(): void {
    this.#source.unlock?.();
  }

  release(settled: boolean): void {
    this.#source.release(settled);
  }

  #afterHead(tell: () => void): void {
    if (this.#unread.head) this.#tellState = tell;
    else tell();
  }
}

/** The pair's readable, behind the bytes that come first, for whoever asks for a stream. */
export function streamOf(unread: UnreadEnd): ReadableStream<unknown> {
  const reader = unread.end.readable.getReader();
  let isReading = false;
  let isOver = false;
  let tellState: (() => void) | undefined;
  /** The state of the pair shows without a read, but not before the head has been read. */
  const update = () => {
    if (!tellState || isOver || isReading || unread.head) return;
    isOver = true;
    reader.releaseLock();
    tellState();
  };
  return new ReadableStream({
    start(controller) {
      const close = () => {
        tellState ??= () => controller.close();
        update();
      };
      reader.closed.then(close, (error) => {
        tellState ??= () => controller.error(error);
        update();
      });
    },
    async pull(controller) {
      const { head } = unread;
      if (head) {
        unread.takeHead();
        controller.enqueue(head);
        return update();
      }
      isReading = true;
      try {
        const { done, value } = await reader.read();
        if (!done) controller.enqueue(value);
        else tellState ??= () => controller.close();
      } finally {
        isReading = false;
        update();
      }
    },
    async cancel(reason) {
      isOver = true;
      try {
        await reader.cancel(reason);
      } finally {
        reader.releaseLock();
      }
    },
  }, { highWaterMark: 0 });
}
