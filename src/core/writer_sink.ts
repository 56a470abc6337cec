// The sink of a Go-style end, or of anything else whose writes may be partial; for the core.

import { bytesToWrite } from "../check/bytes.ts";
import { assertSize, isSize } from "../check/refuse.ts";
import type { Writer } from "../ends.ts";
import { type Bypass, TAKEN } from "./bypass.ts";
import type { Meter } from "./meter.ts";
import type { Soon } from "./reusable_promise.ts";
import { type Sink, type Writing, WRITTEN } from "./sink.ts";

/** What a {@linkcode WriterSink} writes to. */
type AnyWriter = Writer & { readonly [TAKEN]?: number } | Bypass<unknown>;

/** Writes whole chunks to something whose `write` may take a part. */
export class WriterSink implements Sink<number> {
  readonly permitsReuse: boolean = true;
  readonly #writer: AnyWriter;
  readonly #meter: Meter;
  /** What the last write was given; dropped once a chunk is written whole. */
  #rest?: Uint8Array<ArrayBuffer>;
  /** What the last write has returned. */
  #written?: Soon<number>;
  #pending = false;
  /** Bytes of a write that was broken off, and has settled since. */
  #takenLate = 0;

  constructor(writer: AnyWriter, meter: Meter) {
    this.#writer = writer;
    this.#meter = meter;
  }

  get pending(): boolean {
    return this.#pending;
  }

  /** Bytes that the pending write, or a broken-off write, is known to have taken: they may reach the peer. */
  get takenUnsettled(): number {
    return this.#pending && (this.#writer[TAKEN] ?? this.#takenLate) || 0;
  }

  write(chunk: unknown): Writing<number> {
    const bytes = bytesToWrite(chunk);
    if (bytes.length > 0) return this.#write(bytes);
    this.#meter.add(0, 1);
    return WRITTEN;
  }

  accept(count: number): Writing<number> {
    const { length } = this.#rest!;
    this.#pending = false;
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

  writeFailed(): void {
    if (this.takenUnsettled > 0) this.#meter.add(this.takenUnsettled, 0);
    this.#pending = false;
  }

  async lastWriteSettled(): Promise<void> {
    // A writer that says how much it has taken need not be waited for.
    if (!this.#pending || this.#writer[TAKEN] !== undefined) return;
    const { length } = this.#rest!;
    await settledOrTurnOver(
      Promise.resolve(this.#written).then((count) => {
        if (isSize(count, 1, length)) this.#takenLate = count;
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
    this.writeFailed();
  }

  #write(bytes: Uint8Array<ArrayBuffer>): Soon<number> {
    this.#rest = bytes;
    this.#pending = true;
    // It may throw, or end the join before it returns: the result of the write before is not its own.
    this.#written = undefined;
    const written = this.#writer.write(bytes);
    this.#written = written;
    return written;
  }
}

/** Waits for `promise`, at most for two timers: the first may go off before sockets have been looked at. */
async function settledOrTurnOver(promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const turnOver = new Promise<void>((resolve) => {
    timer = setTimeout(() => timer = setTimeout(resolve));
  });
  // The cause has been reported; that the write which was broken off fails as well is no news.
  await Promise.race([promise, turnOver]).catch(() => {});
  clearTimeout(timer!);
}
