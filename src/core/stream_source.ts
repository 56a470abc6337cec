// The source of a `ReadableStream`; for the core alone.

import { PooledMemory, type ReadMemory, STREAM } from "./read_memory.ts";
import { EOF, type Source, type SourceMemory } from "./source.ts";

type ReadResult = ReadableStreamReadResult<unknown>;

interface StreamReader extends ReadableStreamGenericReader {
  /** A BYOB reader is given a view. */
  read(view?: Uint8Array<ArrayBuffer>): Promise<ReadResult>;
  releaseLock(): void;
}

/** workerd's own streams find 4 KiB for a read that brings no memory: a sixth of `pipeTo`'s speed. */
const FINDS_LITTLE = "readAtLeast" in (globalThis.ReadableStreamBYOBReader?.prototype ?? {});

/**
 * By the standard the BYOB read of a teed stream is never answered if its source closes without
 * `byobRequest.respond(0)`, and nothing tells (ReadableByteStreamTee, as of 2026; Deno has mended it,
 * https://github.com/denoland/deno/pull/35828). A default read is.
 */
const TEES_HANG = !("Deno" in globalThis);

/**
 * Any `ReadableStream`, locked. A byte stream is read by its BYOB reader into pooled memory if the sink permits
 * that memory to be used again. For a sink that may keep its chunks each needs fresh memory anyhow, and the
 * stream knows better how much. Chunks of any other stream are passed on as they come.
 */
export class StreamSource implements Source<ReadResult> {
  readonly closed: Promise<unknown>;
  readonly isOfMessages: boolean;
  readonly #stream: ReadableStream<unknown>;
  #reader: StreamReader;
  readonly #memory?: ReadMemory;
  #errored = false;

  constructor(
    stream: ReadableStream<unknown>,
    { pool, permitsReuse, isSaid }: SourceMemory,
    isOfMessages: boolean,
  ) {
    this.isOfMessages = isOfMessages;
    this.#stream = stream;
    const reuses = permitsReuse && (isSaid || !TEES_HANG);
    const byob = reuses || FINDS_LITTLE ? byobReader(stream) : undefined;
    if (byob) this.#memory = new PooledMemory(pool, permitsReuse, STREAM);
    this.#reader = byob ?? stream.getReader() as StreamReader;
    this.closed = this.#reader.closed;
    this.closed.catch(() => this.#errored = true);
  }

  get reusesMemory(): boolean {
    return this.#memory?.isReused ?? false;
  }

  pull(most?: number): Promise<ReadResult> {
    return this.#reader.read(this.#memory?.view(most));
  }

  take({ done, value }: ReadResult): unknown {
    const memory = this.#memory;
    if (!memory) return done ? EOF : value;
    if (value === undefined) {
      memory.release(false);
      return EOF;
    }
    const { buffer, byteLength } = value as Uint8Array<ArrayBuffer>;
    const chunk = memory.filled(byteLength, new Uint8Array(buffer));
    return done ? EOF : chunk;
  }

  abandonChunk(): void {
    this.#memory?.release(false);
  }

  cancelPull(): boolean {
    const isUnlocked = this.unlock();
    if (isUnlocked) this.#reader = this.#stream.getReader() as StreamReader;
    return isUnlocked;
  }

  async cancel(reason: unknown): Promise<void> {
    try {
      await this.#reader.cancel(reason);
    } catch (error) {
      if (!this.#errored) throw error;
    }
  }

  /**
   * Gives whether it could: workerd's own streams refuse while a read is pending. They stay locked then, as whoever
   * read them next would miss what that read brings.
   */
  unlock(): boolean {
    try {
      this.#reader.releaseLock();
      return true;
    } catch {
      return false;
    }
  }

  release(settled: boolean): void {
    this.#memory?.release(settled);
    this.unlock();
  }
}

function byobReader(stream: ReadableStream<unknown>): StreamReader | undefined {
  try {
    return stream.getReader({ mode: "byob" }) as StreamReader;
  } catch {
    // It is no byte stream; if anything else is wrong, `getReader()` tells.
  }
}
