// One end of a join, with its source and its sink; for the files of a join alone.

import { type Direct, directOf } from "../core/bypass.ts";
import type { Conn, End } from "../ends.ts";
import { halfCloseOf, isConn, isOfMessages } from "../check/kinds.ts";
import type { Failure } from "../errors.ts";
import { HeadSource, type Unread, unreadOf } from "../core/unread_end.ts";
import type { Meter } from "../core/meter.ts";
import { openSink } from "../core/stream_sink.ts";
import type { Sink } from "../core/sink.ts";
import { DirectSink } from "../core/writer_sink.ts";
import { DirectSource, openSource, type Source, type SourceOptions } from "../core/source.ts";

/** How long a failed read waits for the chunk in flight, and how long closing may take. */
export const GRACE_MS = 1000;

/** One end of a join: what it can do, and how it is closed, once. */
export class JoinedEnd {
  readonly name: "a" | "b";
  readonly halfClose: boolean | "receive";
  /** Whether it is to be left open after success. */
  readonly left: boolean;
  /** Nothing can be written to it any more: it has ended, and cannot half-close, or a write has failed. */
  gone = false;
  /** What it sends, once opened. */
  source!: Source;
  /** What it takes, once opened. */
  sink!: Sink;
  /**
   * Its own `close()` has failed. Neither side and no direction: all that was read has been written by then,
   * and whoever repeats what a failed write has lost must not do so.
   */
  closeFailure?: Failure;
  readonly #end: End<unknown, unknown>;
  readonly #unread?: Unread;
  readonly #ofMessages: boolean;
  /** What is closed as one, and not stream by stream. */
  readonly #whole?: Conn | Direct;
  #closed = false;
  /** Ends each wait for its closing. */
  #waits?: (() => void)[];

  constructor(name: "a" | "b", end: End<unknown, unknown>, left: boolean) {
    this.name = name;
    this.#ofMessages = isOfMessages(end);
    this.#unread = unreadOf(end);
    end = this.#end = this.#unread?.end ?? end;
    this.#whole = directOf(end) ?? (isConn(end) ? end : undefined);
    this.left = left;
    this.halfClose = halfCloseOf(end);
  }

  /** Whether its own end is waited for once it has been half-closed. */
  get isToEnd(): boolean {
    return this.halfClose === true && !this.left;
  }

  openSource(options: SourceOptions): void {
    const end = this.#end;
    const direct = directOf(end);
    if (!direct) this.#unread?.unlock();
    const source = direct
      ? new DirectSource(direct, options)
      : openSource(isConn(end) ? end : end.readable, options);
    this.source = this.#unread ? new HeadSource(source, this.#unread) : source;
    if (this.#ofMessages) this.source.messages = true;
  }

  openSink(meter: Meter): void {
    const end = this.#end;
    const direct = directOf(end);
    this.sink = direct
      ? direct.openSink?.(meter) ?? new DirectSink(direct, meter)
      : isConn(end)
      ? openSink(end, meter)
      : openSink(end.writable, meter, end.consumesOnWrite === true);
  }

  /**
   * By Nagle's algorithm, the second part of an answer would wait until the first is acknowledged, which
   * may take 40 ms.
   */
  sendAtOnce(): void {
    const end = this.#end;
    // If it fails as the peer has gone, the first read says so.
    if (isConn(end)) void quietly(() => end.setNoDelay?.(true));
  }

  /** Unlocks it, if it has come to nothing. */
  release(): void {
    this.source?.release(true);
    this.sink?.release();
  }

  /** Its peer is to read an end of file: all that was read for it has been written. */
  async endWriting(): Promise<void> {
    if (!this.left && !this.gone && this.halfClose === true) await this.sink.end();
  }

  /** Closes it after success. It has been half-closed, or is gone; `ended` if it has itself ended. */
  async close(ended: boolean): Promise<void> {
    if (this.gone || !ended) return await this.#bounded(this.closeSilent());
    if (this.left) return;
    if (this.halfClose === "receive" && !this.#whole) {
      await this.#bounded(quietly(() => this.sink.end()));
    }
    await this.#closeOnce();
  }

  /**
   * Closes it although its peer has not ended. What was written to it does not matter any more; a stuck
   * write would hold a close() up for good.
   */
  async closeSilent(): Promise<void> {
    const { source, sink } = this;
    // Closing the other end may take its time: what comes meanwhile is for whoever reads next.
    if (this.left) return source.release(false);
    if (!this.#whole) {
      const cancelled = quietly(() => source.cancel(undefined));
      const ended = quietly(() => sink.pending ? sink.abort(undefined) : sink.end());
      if (!sink.pending) await this.#bounded(Promise.all([cancelled, ended]));
    }
    await this.#closeOnce();
  }

  /**
   * Ends it after a failure: everything is started before this returns. Waits for it to be done, but
   * not where that would be waiting for a write.
   */
  async tearDown(reason: unknown): Promise<void> {
    const whole = this.#whole;
    const { source, sink } = this;
    const done = whole ? [] : [
      quietly(() => source.cancel(reason)),
      quietly(() => sink.abort(reason)),
    ];
    // A stream must stay locked until what has led here returns: `join()` itself, or a write to it.
    if (!whole) await undefined;
    done.push(whole?.abort ? quietly(() => whole.abort!(reason)) : this.#closeOnce(reason));
    if (!sink.pending) await Promise.all(done);
  }

  /** The join has been given up. */
  stopWaiting(): void {
    for (const stop of this.#waits?.splice(0) ?? []) stop();
  }

  async #bounded(promise: Promise<unknown>): Promise<void> {
    const stopped = new Promise<void>((resolve) => (this.#waits ??= []).push(resolve));
    await bounded(Promise.race([promise, stopped]));
  }

  /** Unlocked by then, as a serial port refuses while one of its streams is locked. */
  async #closeOnce(...reason: unknown[]): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.source.unlock?.();
    this.sink.unlock?.();
    try {
      await (this.#whole ? this.#whole.close() : this.#end.close?.(...reason));
    } catch (cause) {
      this.closeFailure = { cause, end: this.name };
    }
  }
}

/** What ending a stream provokes by itself is dropped: the first error has been, or will be, reported. */
async function quietly(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch {
    // As above.
  }
}

/** Waits for `promise`, which does not reject, as long as it may take. */
export async function bounded(promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, GRACE_MS));
  await Promise.race([promise, late]);
  clearTimeout(timer!);
}
