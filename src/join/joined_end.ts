// One end of a join, with its source and its sink; for the files of a join alone.

import { halfCloseOf, isConn, isOfMessages } from "../check/kinds.ts";
import { type Bypass, bypassOf } from "../core/bypass.ts";
import { BypassSink } from "../core/bypass_sink.ts";
import { BypassSource } from "../core/bypass_source.ts";
import type { Meter } from "../core/meter.ts";
import { openSink, openSource } from "../core/open.ts";
import type { Sink } from "../core/sink.ts";
import type { Source, SourceMemory } from "../core/source.ts";
import { type UnreadEnd, unreadOf } from "../core/unread_end.ts";
import { UnreadSource } from "../core/unread_source.ts";
import type { Conn, End, Pair } from "../ends.ts";
import type { Failure } from "../errors.ts";

/** How long, in ms, the chunk in flight, a closing, and a silence while parting are waited for. */
export const GRACE_MS = 1000;

/** What an end is, decided once. An end that is closed as one has a `whole`: it is not closed stream by stream. */
type Kind =
  | { readonly is: "bypass"; readonly whole: Bypass<unknown> }
  | { readonly is: "Go-style"; readonly whole: Conn }
  | { readonly is: "streams"; readonly whole?: undefined; readonly pair: Pair<unknown, unknown> };

function kindOf(end: End<unknown, unknown>): Kind {
  const bypass = bypassOf(end);
  if (bypass) return { is: "bypass", whole: bypass };
  return isConn(end) ? { is: "Go-style", whole: end } : { is: "streams", pair: end };
}

/** One end of a join: what it can do, and how it is closed, once. */
export class JoinedEnd {
  readonly name: "a" | "b";
  /** Whether its writing can be ended alone, so that its peer reads an end of file and can still answer. */
  readonly halfCloseOut: boolean;
  /** Whether it can still be written to after its own end of file. */
  readonly halfCloseIn: boolean;
  /** Whether it is to be left open after success. */
  readonly isLeftOpen: boolean;
  readonly #kind: Kind;
  readonly #unread?: UnreadEnd;
  readonly #isOfMessages: boolean;
  #source?: Source;
  #sink?: Sink;
  #isGone = false;
  #closeFailure?: Failure;
  #isClosed = false;
  /** Each ends one pending wait for its closing. */
  #waits?: (() => void)[];

  constructor(name: "a" | "b", end: End<unknown, unknown>, isLeftOpen: boolean) {
    this.name = name;
    this.isLeftOpen = isLeftOpen;
    this.#isOfMessages = isOfMessages(end);
    this.#unread = unreadOf(end);
    this.#kind = kindOf(this.#unread?.end ?? end);
    const halfClose = halfCloseOf(this.#unread?.end ?? end);
    this.halfCloseOut = halfClose === true;
    this.halfCloseIn = halfClose !== false;
  }

  /** What it sends, once opened. */
  get source(): Source {
    return this.#source!;
  }

  /** What it takes, once opened. */
  get sink(): Sink {
    return this.#sink!;
  }

  /** Whether nothing can be written to it any more: it has ended whole, or a write has failed. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * Its own `close()` has failed. That is of no side and no direction: all that was read has been written by
   * then, and whoever repeats what a failed write has lost must not do so.
   */
  get closeFailure(): Failure | undefined {
    return this.#closeFailure;
  }

  /** Whether the end of file of this end is waited for, once this end has been half-closed. */
  get isWaitedFor(): boolean {
    return this.halfCloseOut && !this.isLeftOpen;
  }

  openSource(memory: SourceMemory): void {
    const kind = this.#kind;
    if (kind.is !== "bypass") this.#unread?.unlock();
    const source = kind.is === "bypass"
      ? new BypassSource(kind.whole, memory.permitsReuse, this.#isOfMessages)
      : openSource(kind.whole ?? kind.pair.readable, memory, this.#isOfMessages);
    this.#source = this.#unread ? new UnreadSource(source, this.#unread) : source;
  }

  openSink(meter: Meter): void {
    const kind = this.#kind;
    if (kind.is === "bypass") {
      this.#sink = kind.whole.openSink?.(meter) ?? new BypassSink(kind.whole, meter);
    } else if (kind.is === "Go-style") this.#sink = openSink(kind.whole, meter);
    else this.#sink = openSink(kind.pair.writable, meter, kind.pair.consumesOnWrite === true);
  }

  /** Lets what is written go by way of another sink. */
  wrapSink(wrap: (sink: Sink) => Sink): void {
    this.#sink = wrap(this.sink);
  }

  /**
   * Turns Nagle's algorithm off, by which the second part of an answer would wait until the first is acknowledged,
   * which may take 40 ms.
   */
  sendAtOnce(): void {
    const { is, whole } = this.#kind;
    // If it fails as the peer has gone, the first read says so.
    if (is === "Go-style") void quietly(() => whole.setNoDelay?.(true));
  }

  /** Unlocks it, if the join has come to nothing. */
  release(): void {
    this.#source?.release(true);
    this.#sink?.release();
  }

  /** Nothing can be written to it any more. */
  markGone(): void {
    this.#isGone = true;
  }

  /** Its peer is to read an end of file: all that was read for it has been written. */
  async endWriting(): Promise<void> {
    if (!this.isLeftOpen && !this.#isGone && this.halfCloseOut) await this.sink.end();
  }

  /** Closes it after success. All has been written to it, or it is gone; `hasEnded` if it has itself ended. */
  async close(hasEnded: boolean): Promise<void> {
    if (this.#isGone || !hasEnded) return await this.#bounded(this.closeSilently());
    if (this.isLeftOpen) return;
    // Its peer reads an end of file by that, and all that was written before.
    if (this.halfCloseIn && !this.halfCloseOut && !this.#kind.whole) {
      await this.#bounded(quietly(() => this.sink.end()));
    }
    await this.#closeOnce();
  }

  /**
   * Closes it without an error, whether its peer has ended or not; if it is to be left open, it is only unlocked.
   * What was written to it does not matter any more; a stuck write would hold a close() up for good.
   */
  async closeSilently(): Promise<void> {
    const { source, sink } = this;
    // Closing the other end may take its time: what comes meanwhile is for whoever reads next.
    if (this.isLeftOpen) return source.release(false);
    if (!this.#kind.whole) {
      const cancelled = quietly(() => source.cancel(undefined));
      const ended = quietly(() => sink.pending ? sink.abort(undefined) : sink.end());
      if (!sink.pending) await this.#bounded(Promise.all([cancelled, ended]));
    }
    await this.#closeOnce();
  }

  /**
   * Ends it after a failure: everything is started before this returns. Waits for that to be done, but not where
   * it would be waiting for a write.
   */
  async tearDown(reason: unknown): Promise<void> {
    const { whole } = this.#kind;
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

  /** The join does not wait for the closing any more. */
  stopWaiting(): void {
    for (const stop of this.#waits?.splice(0) ?? []) stop();
  }

  async #bounded(promise: Promise<unknown>): Promise<void> {
    const stopped = new Promise<void>((resolve) => (this.#waits ??= []).push(resolve));
    await bounded(Promise.race([promise, stopped]));
  }

  /** It is unlocked by then: a serial port cannot be closed while one of its streams is locked. */
  async #closeOnce(...reason: unknown[]): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.source.unlock?.();
    this.sink.unlock?.();
    const kind = this.#kind;
    try {
      await (kind.whole ? kind.whole.close() : kind.pair.close?.(...reason));
    } catch (cause) {
      this.#closeFailure = { cause, end: this.name };
    }
  }
}

/** What ending a stream provokes by itself is dropped: the first failure has been, or will be, reported. */
async function quietly(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch {
    // As above.
  }
}

/** Waits for `promise`, which does not reject, but no longer than {@linkcode GRACE_MS}. */
export async function bounded(promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, GRACE_MS));
  await Promise.race([promise, late]);
  clearTimeout(timer!);
}
