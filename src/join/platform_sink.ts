// The way to a sink by the platform's own `pipeTo` (`via: "pipeTo"`); for `lanes.ts` alone.

import { ByteCounterStream } from "../byte_counter.ts";
import { byteLengthOf } from "../check/bytes.ts";
import type { Meter } from "../core/meter.ts";
import { type Sink, type SinkWatcher, writeWhole, WRITTEN } from "../core/sink.ts";
import type { Source } from "../core/source.ts";

const ignore = (): void => {};

/**
 * A sink behind the platform's own `pipeTo`, through a {@linkcode ByteCounterStream}: the reference for the pump,
 * and slower. The sink itself stays in our hands, so that a write that never settles cannot keep it locked.
 */
export class PlatformSink implements Sink<void> {
  readonly permitsReuse = false;
  readonly closed: Promise<unknown>;
  readonly #sink: Sink;
  readonly #meter: Meter;
  readonly #counter = new ByteCounterStream<unknown>();
  readonly #writer = this.#counter.writable.getWriter();
  #watcher?: SinkWatcher;
  #fail: (error: unknown) => void = ignore;
  #isOver = false;
  /** Chunks that are in the platform ... */
  #underWay = 0;
  /** ... and what becomes of them: once a write has failed, or the pump has given them up, none arrives. */
  #passage: "open" | "failed" | "abandoned" = "open";
  /** The bytes of texts, which the counter counts as 0. */
  #textBytes = 0;

  constructor(sink: Sink, meter: Meter) {
    this.#sink = sink;
    this.#meter = meter;
    // A stream tells by itself, and no microtask may come in between: see StreamStates.
    this.closed = sink.closed ?? new Promise((_, reject) => this.#fail = reject);
    const over = () => this.#isOver = true;
    this.closed.then(over, over);
    const writable = new WritableStream({ write: (chunk) => this.#pass(chunk) });
    this.#counter.readable.pipeTo(writable).catch(ignore);
  }

  attach(watcher: SinkWatcher, source: Source): void {
    this.#watcher = watcher;
    this.#sink.attach?.({
      onSinkFailed: (error) => {
        this.#fail(error);
        watcher.onSinkFailed(error);
      },
      onSinkClosing: () => watcher.onSinkClosing(),
      onWriteSettled: () => watcher.onWriteSettled(),
    }, source);
  }

  get over(): boolean {
    return this.#isOver || this.#sink.over === true;
  }

  get pending(): boolean {
    return this.#passage === "open" && this.#underWay > 0 || this.#sink.pending === true;
  }

  write(chunk: unknown, size: number): Promise<void> {
    this.#underWay++;
    this.#textBytes += size - byteLengthOf(chunk);
    // The write to the sink that has failed tells, by `closed`: not before that may the pump go on.
    return this.#writer.write(chunk).catch(() => this.closed.then(ignore, ignore));
  }

  accept(): typeof WRITTEN {
    return WRITTEN;
  }

  writeFailed(): void {}

  abandonWrites(): void {
    this.#passage = "abandoned";
  }

  end(): Promise<void> {
    return this.#sink.end();
  }

  abort(reason: unknown): Promise<void> {
    return this.#sink.abort(reason);
  }

  unlock(): void {
    this.#sink.unlock?.();
  }

  async lastWriteSettled(): Promise<void> {
    await this.#sink.lastWriteSettled?.();
  }

  release(): void {
    // Ends the platform's pipe. Whatever fails by that has been told by the sink.
    this.#writer.close().catch(ignore);
    this.#sink.release();
  }

  /** Takes a chunk that has come through the platform to the sink. */
  async #pass(chunk: unknown): Promise<void> {
    const { bytes, chunks } = this.#counter;
    const isCurrent = () => this.#passage !== "abandoned";
    if (isCurrent() && !this.over) this.#meter.set(bytes + this.#textBytes, chunks);
    try {
      await writeWhole(this.#sink, chunk, isCurrent);
      this.#meter.touch();
    } catch (error) {
      if (isCurrent()) {
        this.#passage = "failed";
        this.#sink.writeFailed(error);
      }
      this.#fail(error);
      throw error;
    } finally {
      this.#underWay--;
      this.#watcher?.onWriteSettled();
    }
  }
}
