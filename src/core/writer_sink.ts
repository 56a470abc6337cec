// The sink of a Go-style end, and of an adapter's end past its streams; for the core alone.

import { bytesToWrite } from "../check/bytes.ts";
import { type Direct, TAKEN } from "./bypass.ts";
import type { Writer } from "../ends.ts";
import { assertSize, isSize } from "../check/refuse.ts";
import type { Meter } from "./meter.ts";
import { type Sink, type SinkWatcher, WRITTEN } from "./sink.ts";

type Writing = Writer | Direct;

/** A Go-style end, whose writes may be partial. */
export class WriterSink implements Sink {
  lent?: boolean;
  watcher?: SinkWatcher;
  pending = false;
  readonly #writer: Writing;
  readonly #meter: Meter;
  #rest?: Uint8Array<ArrayBuffer>;
  #written: unknown;
  /** What a write has brought that was broken off. */
  #late = 0;

  constructor(writer: Writing, meter: Meter) {
    this.#writer = writer;
    this.#meter = meter;
  }

  get consumes(): boolean {
    return true;
  }

  /** Bytes of a write that has not settled, or has failed: they may reach the peer nonetheless. */
  get part(): number {
    return this.pending && ((this.#writer as Direct)[TAKEN] ?? this.#late) || 0;
  }

  write(chunk: unknown): unknown {
    const bytes = bytesToWrite(chunk);
    if (bytes.length === 0) {
      this.#meter.add(0, 1);
      return WRITTEN;
    }
    return this.#write(bytes);
  }

  accept(count: unknown): unknown {
    const { length } = this.#rest!;
    this.pending = false;
    if (count === length) {
      this.#meter.add(length, 1);
      // An idle join must not keep its last chunk.
      this.#rest = this.#written = undefined;
      return WRITTEN;
    }
    assertSize("write", "count", count, 1, length);
    this.#meter.add(count, 0);
    return this.#write(this.#rest!.subarray(count));
  }

  refuse(): void {
    if (this.part > 0) this.#meter.add(this.part, 0);
    this.pending = false;
  }

  async lastWrite(): Promise<void> {
    // Who tells what it has taken need not be waited for.
    if (!this.pending || (this.#writer as Direct)[TAKEN] !== undefined) return;
    await settled(
      Promise.resolve(this.#written).then((count) => {
        if (isSize(count, 1, this.#rest!.length)) this.#late = count;
      }),
    );
  }

  async end(): Promise<void> {
    if (this.#writer.closeWrite) await this.#writer.closeWrite();
    else await this.#writer.close?.();
  }

  async abort(reason: unknown): Promise<void> {
    if (this.#writer.abort) await this.#writer.abort(reason);
    else await this.#writer.close?.();
  }

  release(): void {
    this.refuse();
  }

  #write(bytes: Uint8Array<ArrayBuffer>): unknown {
    this.#rest = bytes;
    this.pending = true;
    return this.#written = this.#writer.write(bytes);
  }
}

/** Waits until it has settled, but no longer than a whole turn: a timer may go off before the next one's I/O. */
async function settled(promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => timer = setTimeout(resolve));
  });
  // What the write was broken off for is told; that it fails then is no news.
  await Promise.race([promise, late]).catch(() => {});
  clearTimeout(timer!);
}

/** An adapter's end, past its streams. */
export class DirectSink extends WriterSink {
  readonly #direct: Direct;

  constructor(direct: Direct, meter: Meter) {
    super(direct, meter);
    this.#direct = direct;
    direct.user = this;
  }

  override get consumes(): boolean {
    return this.#direct.consumesOnWrite;
  }

  override release(): void {
    super.release();
    this.#direct.user = undefined;
  }
}
