import { type Direct, directOf } from "./direct.ts";
import { canHalfClose, type Conn, type End, endsWhole, isConn } from "./ends.ts";
import type { Meter } from "./meter.ts";
import { DirectSink, type Sink, StreamSink, WriterSink } from "./sink.ts";
import {
  DirectSource,
  readerSource,
  type Source,
  type SourceOptions,
  streamSource,
} from "./source.ts";

/** How long a failed read waits for the chunk in flight, and how long closing may take. */
export const GRACE_MS = 1000;

/** One end of a join: what it can do, and how it is closed, once. */
export class JoinedEnd {
  readonly halfCloses: boolean;
  /** Whether nothing can be written to it any more once it has ended. */
  readonly endsWhole: boolean;
  /** It has ended although it cannot half-close: nothing can be written to it any more. */
  gone = false;
  readonly #end: End<unknown, unknown>;
  readonly #direct?: Direct;
  readonly #left: boolean;
  #closed = false;

  /** @param left Whether it is to be left open after success. */
  constructor(end: End<unknown, unknown>, left: boolean) {
    this.#end = end;
    this.#direct = directOf(end);
    this.#left = left;
    this.halfCloses = canHalfClose(end);
    this.endsWhole = endsWhole(end);
  }

  openSource(options: SourceOptions): Source {
    if (this.#direct) return new DirectSource(this.#direct, options);
    const end = this.#end;
    return isConn(end) ? readerSource(end, options) : streamSource(end.readable, options);
  }

  openSink(meter: Meter): Sink {
    if (this.#direct) return new DirectSink(this.#direct, meter);
    const end = this.#end;
    return isConn(end)
      ? new WriterSink(end, meter)
      : new StreamSink(end.writable, meter, end.consumesOnWrite === true);
  }

  /** Its peer is to read an end of file: all that was read for it has been written. */
  async halfClose(sink: Sink): Promise<void> {
    if (this.#left || !this.halfCloses) return;
    await sink.end();
  }

  /** Closes it after success. It has been half-closed, or is gone. */
  async close(sink: Sink): Promise<void> {
    if (this.#left || this.#closed) return;
    if (this.gone) return bounded(this.#closeGone(sink), GRACE_MS);
    await quietly(() => this.#closeOnce());
  }

  /** Closes it although its peer has not ended. */
  async closeSilent(source: Source, sink: Sink): Promise<void> {
    if (this.#left) return;
    const cancelled = this.#whole ? undefined : quietly(() => source.cancel(undefined));
    await Promise.all([cancelled, this.#closeGone(sink)]);
  }

  /**
   * Ends it after a failure: everything is started before this returns. Waits for it to be done, but
   * not where that would be waiting for a write.
   */
  async tearDown(source: Source, sink: Sink, reason: unknown): Promise<void> {
    const whole = this.#whole;
    const done = whole ? [quietly(() => whole.abort ? whole.abort(reason) : this.#closeOnce())] : [
      quietly(() => source.cancel(reason)),
      quietly(() => sink.abort(reason)),
      quietly(() => this.#closeOnce(reason)),
    ];
    if (!sink.pending) await Promise.all(done);
  }

  /** What was written to it does not matter any more; a stuck write would hold a close() up for good. */
  async #closeGone(sink: Sink): Promise<void> {
    const endWriting = () => sink.pending ? sink.abort(undefined) : sink.end();
    const ended = this.#whole ? undefined : quietly(endWriting);
    if (!sink.pending && ended) await bounded(ended, GRACE_MS);
    await quietly(() => this.#closeOnce());
  }

  #closeOnce(...reason: unknown[]): unknown {
    if (this.#closed) return;
    this.#closed = true;
    return (this.#direct ?? this.#end).close?.(...reason);
  }

  /** What is closed as one, and not stream by stream. */
  get #whole(): Conn | Direct | undefined {
    return this.#direct ?? (isConn(this.#end) ? this.#end : undefined);
  }
}

/** What closing provokes by itself is dropped: the first error has been, or will be, reported. */
async function quietly(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch {
    // As above.
  }
}

/** Waits for `promise`, which does not reject, for at most `ms`. */
export async function bounded(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([promise, late]);
  clearTimeout(timer!);
}
