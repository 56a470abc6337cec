// The source of what `unread()` has made: bytes that come first, then the pair's own source; for `join` alone.

import type { Followable, Source } from "./source.ts";
import type { UnreadEnd } from "./unread_end.ts";

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
