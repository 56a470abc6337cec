// The built-in targets `echo:` and `discard:`, Go-style ends in this process; for sessions alone.

import type { Awaitable, Conn } from "../ends.ts";

/** A read that waits for bytes. */
interface Waiting {
  view: Uint8Array;
  resolve(count: number | null): void;
  reject(reason: unknown): void;
}

/** A write that waits to be read. */
interface Offered {
  chunk: Uint8Array;
  resolve(count: number): void;
  reject(reason: unknown): void;
}

/** Hands every byte back: one copy, from the write's buffer to the read's, and nothing stored. */
export class EchoEnd implements Conn {
  #waiting: Waiting | undefined;
  #offered: Offered | undefined;
  #ended = false;

  /** Takes what a write offers, or waits for one; `null` after `closeWrite` or `close`. */
  read(view: Uint8Array): Awaitable<number | null> {
    const offered = this.#offered;
    if (offered !== undefined) {
      this.#offered = undefined;
      const count = copy(offered.chunk, view);
      offered.resolve(count);
      return count;
    }
    if (this.#ended) return null;
    return new Promise((resolve, reject) => this.#waiting = { view, resolve, reject });
  }

  /** Settles with what one read took. */
  write(chunk: Uint8Array): Awaitable<number> {
    if (this.#ended) throw new Deno.errors.BrokenPipe("Broken pipe");
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      const count = copy(chunk, waiting.view);
      waiting.resolve(count);
      return count;
    }
    return new Promise((resolve, reject) => this.#offered = { chunk, resolve, reject });
  }

  /** Ends what can be read, once it all was. */
  closeWrite(): void {
    this.#ended = true;
    this.#waiting?.resolve(null);
    this.#waiting = undefined;
  }

  /** Ends both ways. */
  close(): void {
    this.abort(new Deno.errors.Interrupted("Closed"));
  }

  /** Ends both ways; a pending read or write fails with the reason. */
  abort(reason: unknown): void {
    this.#ended = true;
    this.#waiting?.reject(reason);
    this.#offered?.reject(reason);
    this.#waiting = this.#offered = undefined;
  }
}

/** Takes everything, sends nothing, and ends its side when the client has ended. */
export class DiscardEnd implements Conn {
  #end: (() => void) | undefined;
  readonly #ended: Promise<null> = new Promise((resolve) => this.#end = () => resolve(null));

  /** Waits for the end. */
  read(_view: Uint8Array): Awaitable<number | null> {
    return this.#ended;
  }

  /** Takes the chunk. */
  write(chunk: Uint8Array): number {
    return chunk.length;
  }

  /** Ends what can be read. */
  closeWrite(): void {
    this.#end?.();
  }

  /** Ends both ways. */
  close(): void {
    this.#end?.();
  }
}

/** Copies as much of `from` as `to` has room for. */
function copy(from: Uint8Array, to: Uint8Array): number {
  const count = Math.min(from.length, to.length);
  to.set(count === from.length ? from : from.subarray(0, count));
  return count;
}
