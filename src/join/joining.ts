// One join: its two lanes, its timeouts, how it ends and is torn down; for `join()` alone.

import { abortReasonOf, whenAborted } from "../core/abort.ts";
import { Clock, type TimeUp } from "./clock.ts";
import type { End } from "../ends.ts";
import { type Failure, JoinError } from "../errors.ts";
import type { CheckedOptions } from "./options.ts";
import type { JoinResult } from "./result.ts";
import { bounded, JoinedEnd } from "./joined_end.ts";
import type { Lane } from "./lane.ts";
import { openLanes } from "./lanes.ts";
import type { Failed } from "../core/loop.ts";
import { Parting } from "./parting.ts";
import type { PumpOwner } from "../core/pump.ts";
import { reasonOf } from "../reason.ts";

/** Where an end cannot half-close, or nothing is left for its peer to think about. */
const SHORT_TIMEOUT_MS = 30_000;
const LONG_TIMEOUT_MS = 3_600_000;
/** How long the end of one end leaves the other, with `halfClose: "end"`. */
const LINGER_MS = 500;

/** One `join`: two lanes, one outcome. */
export class Joining implements PumpOwner {
  readonly result: Promise<JoinResult>;
  readonly #lanes: readonly [Lane, Lane];
  readonly #clock: Clock;
  readonly #signal?: AbortSignal;
  readonly #drain?: AbortSignal;
  #unlisten?: () => void;
  #undrain?: () => void;
  readonly #halfClose: "pass" | "end";
  /** As asked for; the default is that of the end that has to wait. */
  readonly #halfCloseTimeout?: number;
  /** The end that was the first to end or to fail. */
  #first?: "a" | "b";
  /** Why nothing further is read, once that is so. */
  #windingDown?: "drained" | "eof";
  #failure?: Failure;
  #parting?: Parting;
  #over = false;
  #resolve!: (result: JoinResult) => void;
  #reject!: (error: unknown) => void;

  constructor(endA: End<unknown, unknown>, endB: End<unknown, unknown>, options: CheckedOptions) {
    const { preventClose, signal, drain, idleTimeout, maxDuration } = options;
    const a = new JoinedEnd("a", endA, preventClose.a);
    const b = new JoinedEnd("b", endB, preventClose.b);
    this.#signal = signal;
    this.#drain = drain;
    this.#halfClose = options.halfClose;
    this.#halfCloseTimeout = options.halfCloseTimeout;
    this.#lanes = openLanes(a, b, options);
    this.#clock = new Clock(
      this.#lanes,
      { idleTimeout, maxDuration },
      (what) => this.#timeIsUp(what),
    );
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    try {
      if (signal?.aborted) this.#abort();
      else this.#start();
    } catch (error) {
      // Not the platform's, the signal or a stream: what has been locked must not stay so.
      this.#over = true;
      this.#unlisten?.();
      for (const lane of this.#lanes) lane.release();
      throw error;
    }
  }

  #start(): void {
    const onDrain = () => this.#windDown("drained");
    if (this.#signal) this.#unlisten = whenAborted(this.#signal, () => this.#abort());
    if (this.#drain) this.#undrain = whenAborted(this.#drain, onDrain);
    const isDrained = this.#drain?.aborted === true;
    for (const lane of this.#lanes) {
      if (isDrained) lane.stop();
      lane.start(this);
    }
    if (isDrained) onDrain();
    if (!this.#over) this.#clock.look();
  }

  #abort(): void {
    if (this.#over) return;
    const reason = abortReasonOf(this.#signal!);
    this.#tearDown(reason, () => reason);
  }

  /** An end that has ended and cannot half-close takes nothing any more either. */
  sourceClosed(lane: Lane): void {
    const { from } = lane;
    if (from.halfClose !== false) return;
    from.gone = true;
    this.#otherThan(lane).drain();
  }

  async pumpEnded(lane: Lane, failed?: Failed): Promise<void> {
    if (failed) return this.#laneFailed(lane, failed);
    if (!this.#windingDown) this.#first ??= lane.from.name;
    lane.sourceEnded = true;
    this.sourceClosed(lane);
    if (this.#parting?.distrusts(lane)) {
      return this.#laneFailed(lane, { side: "read", error: this.#failure!.cause });
    }
    if (!lane.handingOn) await this.#handOn(lane);
    else if (lane.ended) this.#laneEnded(lane);
  }

  /** Lets the other end of a lane know that nothing more comes. */
  async #handOn(lane: Lane): Promise<void> {
    // Dropping what an end still sends reads from it, and that may have aborted the join.
    if (this.#over) return;
    const { sink, to } = lane;
    lane.handingOn = true;
    // Its peer may be gone and never confirm that: the silence counts from here.
    if (!this.#otherThan(lane).handingOn) this.#countSilence(lane);
    if (this.#over) return;
    try {
      // Everything read must be written before; a read that was under way may bring something meanwhile.
      do await lane.settled(); while (!this.#over && !lane.isStill);
      if (this.#over) return;
      if (!lane.sourceEnded) lane.cutShort();
      if (sink.over && !to.gone) await sink.closed;
      if (this.#over) return;
      await to.endWriting();
    } catch (error) {
      return this.#laneFailed(lane, { side: "write", error });
    }
    if (this.#over) return;
    lane.handedOn = true;
    if (lane.ended) this.#laneEnded(lane);
  }

  #laneEnded(lane: Lane): void {
    if (this.#over) return;
    if (this.#parting) return this.#parting.laneEnded(lane);
    // Of two that cannot half-close, one that has ended takes nothing, and the other is told by its close.
    const isAll = lane.from.gone && lane.to.halfClose === false;
    if (isAll || this.#otherThan(lane).ended) return void this.#succeed();
    if (this.#halfClose === "end") this.#windDown("eof");
    else this.#countSilence(lane);
  }

  /** A peer that was half-closed takes the time it needs, as one that uploads into a file may pause. */
  #countSilence({ from, to }: Lane): void {
    const asked = this.#halfCloseTimeout;
    const halfClosed = to.halfClose === true && !from.gone;
    this.#clock.halfClosed(
      asked ?? (halfClosed ? LONG_TIMEOUT_MS : SHORT_TIMEOUT_MS),
      asked !== undefined || !halfClosed,
    );
  }

  /** Reads no further, but for dropping what comes; what has been read is still handed on. */
  #windDown(why: "drained" | "eof"): void {
    const open = this.#lanes.filter((lane) => !lane.sourceEnded);
    if (this.#over || this.#failure || this.#windingDown || open.length === 0) return;
    this.#windingDown = why;
    const timeout = this.#halfCloseTimeout ?? SHORT_TIMEOUT_MS;
    this.#clock.windDown(why === "eof" ? Math.min(timeout, LINGER_MS) : timeout);
    for (const lane of open) {
      // A lane to an end that is gone drops what comes already.
      if (lane.to.gone) continue;
      lane.stop();
      void this.#handOn(lane);
    }
  }

  async #laneFailed(lane: Lane, failed: Failed): Promise<void> {
    if (this.#over) return;
    // All that counts has passed.
    if (this.#windingDown === "eof") return this.#fulfil("eof", (end) => end.closeSilent());
    const failure = lane.failed(failed);
    if (this.#failure) return this.#parting?.laneFailed(lane);
    this.#failure = failure;
    this.#first ??= failure.end;
    const other = this.#otherThan(lane);
    if (failed.side === "write") {
      await this.#part(other, lane, failure, true);
    } else {
      const { busy } = other;
      // What was read before is owed to the sink; a stalled one must not keep everything open.
      await bounded(lane.settled());
      if (failed.side === "read") await this.#part(lane, other, failure, busy);
    }
    this.#fail(failure);
  }

  /** An end is lost that sends `words`, and that cannot take the `rest` any more. */
  async #part(words: Lane, rest: Lane, failure: Failure, interrupts: boolean): Promise<void> {
    if (this.#over || words.to.gone) return;
    this.#parting = new Parting(words, rest, failure, interrupts);
    this.#parting.start();
    await this.#parting.over;
  }

  #fail(failure: Failure, reason = reasonOf(failure.cause)): void {
    if (this.#over) return;
    const other = this.#lanes.find((lane) => lane.failure !== failure)?.failure;
    const init = { ...failure, other, reason };
    this.#tearDown(
      failure.cause,
      () => new JoinError({ ...init, ...this.#passed }),
      this.#parting?.served,
    );
  }

  /** What has passed by now. */
  get #passed() {
    const [{ counts: aToB }, { counts: bToA }] = this.#lanes;
    return { aToB, bToA, first: this.#first, ms: this.#clock.ms };
  }

  #timeIsUp(what: TimeUp): void {
    if (this.#failure) return this.#fail(this.#failure);
    // All has passed; only the closing takes long.
    if (this.#lanes.every((lane) => lane.ended)) return this.#fulfil("eof");
    if (what === "half-close-timeout") {
      const ended = this.#windingDown === "eof" ? "eof" : "timeout";
      return this.#fulfil(ended, (end) => end.closeSilent());
    }
    this.#fail({ cause: this.#clock.error(what) }, what);
  }

  async #succeed(): Promise<void> {
    this.#clock.look();
    // Closing what has not ended makes a read fail.
    for (const lane of this.#lanes) if (!lane.sourceEnded) lane.halt();
    await Promise.all(this.#lanes.map(({ from, sourceEnded }) => from.close(sourceEnded)));
    if (!this.#over) this.#fulfil("eof");
  }

  #fulfil(ended: "eof" | "timeout", endIt?: (end: JoinedEnd) => Promise<void>): void {
    const reason = ended === "timeout" ? "half-close-timeout" : this.#windingDown ?? "eof";
    this.#finish(() => {
      const [failure, other] = this.#lanes.flatMap(({ from }) => from.closeFailure ?? []);
      // What a timeout provokes is no failure.
      if (failure && ended === "eof") {
        const init = { ...failure, other, reason: reasonOf(failure.cause) };
        this.#reject(new JoinError({ ...init, ...this.#passed }));
      } else this.#resolve({ ...this.#passed, ended, reason });
    }, endIt);
  }

  #tearDown(reason: unknown, errorOf: () => unknown, served?: JoinedEnd): void {
    this.#finish(
      () => this.#reject(errorOf()),
      (end) => end === served ? end.closeSilent() : end.tearDown(reason),
    );
  }

  /** Nothing that happens from here on changes the outcome. Both ends are ended in the same turn. */
  async #finish(settle: () => void, endIt?: (end: JoinedEnd) => Promise<void>): Promise<void> {
    this.#over = true;
    this.#clock.stop();
    this.#parting?.stop();
    this.#unlisten?.();
    this.#undrain?.();
    for (const lane of this.#lanes) {
      lane.halt();
      lane.from.stopWaiting();
    }
    if (endIt) {
      await bounded(Promise.all(this.#lanes.map(({ from }) => endIt(from))));
      for (const { sink } of this.#lanes) if (sink.pending) await sink.lastWrite?.();
    }
    for (const lane of this.#lanes) lane.release();
    settle();
  }

  #otherThan(lane: Lane): Lane {
    return this.#lanes[lane === this.#lanes[0] ? 1 : 0];
  }
}
