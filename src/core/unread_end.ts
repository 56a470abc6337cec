// What `unread()` makes of an end: bytes that come first, then the end's own source. For the core alone.

import { type Direct, directOf } from "./bypass.ts";
import type { Pair } from "../ends.ts";
import type { Follow, Source } from "./source.ts";

/** Under this name an end offers what it consists of, past the streams that it makes when asked for. */
export const UNREAD: unique symbol = Symbol("unread");

/**
 * An end, locked, and what comes before all that it sends. Whoever joins the two takes the end itself: by a
 * stream in between, the end of a WebSocket would show in its writable before its readable.
 */
export class Unread implements NonNullable<Direct["user"]> {
  readonly end: Pair<unknown, unknown>;
  /** `undefined` once somebody has it. */
  head?: Uint8Array<ArrayBuffer>;
  readonly watcher?: undefined;
  #lock?: { releaseLock(): void };

  constructor(end: Pair<unknown, unknown>, head: Uint8Array<ArrayBuffer>) {
    this.end = end;
    this.head = head;
    const direct = directOf(end);
    if (direct) direct.user = this;
    else this.#lock = end.readable.getReader();
  }

  /** Whether nobody has it yet. */
  get locks(): boolean {
    return this.#lock !== undefined || directOf(this.end)?.user === this;
  }

  /** For whoever has it from here on. */
  unlock(): void {
    this.#lock?.releaseLock();
    this.#lock = undefined;
    const direct = directOf(this.end);
    if (direct?.user === this) direct.user = undefined;
  }

  putBack(bytes: Uint8Array<ArrayBuffer>): void {
    const { head = new Uint8Array() } = this;
    this.head = new Uint8Array(bytes.length + head.length);
    this.head.set(bytes);
    this.head.set(head, bytes.length);
  }
}

/** What an unread end consists of; `undefined` once somebody has asked for its streams. */
export function unreadOf(end: unknown): Unread | undefined {
  return (Object(end) as { [UNREAD]?: Unread })[UNREAD];
}

/** The end's own source, behind the head. */
export class HeadSource implements Source {
  readonly closed?: Follow;
  readonly lends: boolean;
  readonly #source: Source;
  readonly #unread: Unread;
  #giving = false;
  /** Tells what has become of the end meanwhile. */
  #tell?: () => void;

  constructor(source: Source, unread: Unread) {
    this.#source = source;
    this.#unread = unread;
    this.lends = source.lends;
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
    this.#giving = head !== undefined;
    return head ?? this.#source.pull(most);
  }

  take(result: unknown): unknown {
    if (!this.#giving) return this.#source.take(result);
    this.#giving = false;
    this.#unread.head = undefined;
    if (this.#tell) queueMicrotask(this.#tell);
    return result;
  }

  abandon(): void {
    this.#source.abandon();
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
    if (this.#unread.head) this.#tell = tell;
    else tell();
  }
}

/** The same as a stream, for whoever asks for one. */
export function headStream(unread: Unread): ReadableStream<unknown> {
  const reader = unread.end.readable.getReader();
  let reading = false;
  let over = false;
  let tell: (() => void) | undefined;
  /** What has become of the end shows at once, but not before all that was read of it. */
  const look = () => {
    if (!tell || over || reading || unread.head) return;
    over = true;
    reader.releaseLock();
    tell();
  };
  return new ReadableStream({
    start(controller) {
      const close = () => {
        tell ??= () => controller.close();
        look();
      };
      reader.closed.then(close, (error) => {
        tell ??= () => controller.error(error);
        look();
      });
    },
    async pull(controller) {
      const { head } = unread;
      if (head) {
        unread.head = undefined;
        controller.enqueue(head);
        return look();
      }
      reading = true;
      try {
        const { done, value } = await reader.read();
        if (!done) controller.enqueue(value);
        else tell ??= () => controller.close();
      } finally {
        reading = false;
        look();
      }
    },
    async cancel(reason) {
      over = true;
      try {
        await reader.cancel(reason);
      } finally {
        reader.releaseLock();
      }
    },
  }, { highWaterMark: 0 });
}
