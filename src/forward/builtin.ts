// The built-in targets `echo:` and `discard:`, Go-style ends in this process; for sessions alone.

import type { Awaitable, Conn } from "../ends.ts";

/** A read that waits for a write. */
interface PendingRead {
  view: Uint8Array;
  resolve(count: number | null): void;
  reject(reason: unknown): void;
}

/** A write that waits for a read. */
interface PendingWrite {
  chunk: Uint8Array;
  resolve(count: number): void;
  reject(reason: unknown): void;
}

/** Sends back what it receives. It copies each byte once, from the write's buffer to the read's, and keeps none. */
export class EchoEnd implements Conn {
  #read: PendingRead | undefined;
  #write: PendingWrite | undefined;
  /** Whether no further write can come. */
  #hasEnded = false;

  /** Takes what the pending write has, or waits for a write; `null` after the end. */
  read(view: Uint8Array): Awaitable<number | null> {
    const write = this.#write;
    if (write !== undefined) {
      this.#write = undefined;
      const count = copy(write.chunk, view);
      write.resolve(count);
      return count;
    }
    if (this.#hasEnded) return null;
    return new Promise((resolve, reject) => this.#read = { view, resolve, reject });
  }

  /** Fulfils with the number of bytes that a read has taken. */
  write(chunk: Uint8Array): Awaitable<number> {
    if (this.#hasEnded) throw new Deno.errors.BrokenPipe("Broken pipe");
    const read = this.#read;
    if (read !== undefined) {
      this.#read = undefined;
      const count = copy(chunk, read.view);
      read.resolve(count);
      return count;
    }
    return new Promise((resolve, reject) => this.#write = { chunk, resolve, reject });
  }

  /** Lets reads find the end after what a pending write has. */
  closeWrite(): void {
    this.#hasEnded = true;
    this.#read?.resolve(null);
    this.#read = undefined;
  }

  /** Ends both directions. A pending read or write fails. */
  close(): void {
    this.abort(new Deno.errors.Interrupted("Closed"));
  }

  /** Ends both directions. A pending read or write fails with the reason. */
  abort(reason: unknown): void {
    this.#hasEnded = true;
    this.#read?.reject(reason);
    this.#write?.reject(reason);
    this.#read = this.#write = undefined;
  }
}

/** Takes everything, sends nothing, and ends when the client has ended. */
export class DiscardEnd implements Conn {
  readonly #ended = Promise.withResolvers<null>();

  /** Waits for the end. */
  read(_view: Uint8Array): Awaitable<number | null> {
    return this.#ended.promise;
  }

  /** Takes the chunk. */
  write(chunk: Uint8Array): number {
    return chunk.length;
  }

  /** Ends both directions, as nothing is ever sent. */
  closeWrite(): void {
    this.#ended.resolve(null);
  }

  /** Ends both directions. */
  close(): void {
    this.#ended.resolve(null);
  }
}

/** Copies as much as there is room for. Returns the number of bytes. */
function copy(from: Uint8Array, to: Uint8Array): number {
  const count = Math.min(from.length, to.length);
  to.set(count === from.length ? from : from.subarray(0, count));
  return count;
}
