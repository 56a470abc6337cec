// One join: its two lanes, its timeouts, how it ends and is torn down; for `join()` alone.

import { abortReasonOf, whenAborted } from "../core/abort.ts";
import type { Failed } from "../core/pump.ts";
import type { End } from "../ends.ts";
import { type Failure, JoinError } from "../errors.ts";
import { reasonOf } from "../reason.ts";
import { Clock, type TimeUp } from "./clock.ts";
import { bounded, JoinedEnd } from "./joined_end.ts";
import type { Lane, LaneOwner } from "./lane.ts";
import { openLanes } from "./lanes.ts";
import type { CheckedOptions } from "./options.ts";
import { Parting } from "./parting.ts";
import type { JoinResult } from "./result.ts";

/** The default of `halfCloseTimeout` after `drain`, and where the peer does not see a half-close. */
const SHORT_TIMEOUT_MS = 30_000;
/** The default of `halfCloseTimeout` where a peer may take the time it needs. */
const LONG_TIMEOUT_MS = 3_600_000;
/** With `halfClose: "end"`: for how long, in ms, the end that has not ended is kept after the other has. */
const OTHER_END_MS = 500;

/** One `join`: two lanes, one outcome. */
export class Joining implements LaneOwner {
  readonly result: Promise<JoinResult>;
  readonly #lanes: readonly [Lane, Lane];
  readonly #clock: Clock;
  readonly #signal?: AbortSignal;
  readonly #drain?: AbortSignal;
  readonly #halfClose: "pass" | "end";
  /** What the caller has asked for; for the defaults see `#countSilence` and `#windDown`. */
  readonly #halfCloseTimeout?: number;
  /** Stops listening to `signal`. */
  #unlisten?: () => void;
  /** Stops listening to `drain`. */
  #undrain?: () => void;
  /** The end that was the first to end or to fail. */
  #first?: "a" | "b";
  /** Why nothing that is still read is passed on; `undefined` while there is no such reason. */
  #windingDown?: "drained" | "eof";
  #failure?: Failure;
  #parting?: Parting;
  /** All has passed, and both ends are being closed. */
  #isClosing = false;
  /** The outcome is decided, and both ends are being ended. Only a `close` that fails can still make it a failure. */
  #isOver = false;
  #resolve!: (result: JoinResult) => void;
  #reject!: (error: unknown) => void;

  constructor(endA: End<unknown, unknown>, endB: End<unknown, unknown>, options: CheckedOptions) {
    const { preventClose, idleTimeout, maxDuration } = options;
    const a = new JoinedEnd("a", endA, preventClose.a);
    const b = new JoinedEnd("b", endB, preventClose.b);
    this.#signal = options.signal;
    this.#drain = options.drain;
    this.#halfClose = options.halfClose;
    this.#halfCloseTimeout = options.halfCloseTimeout;
    this.#lanes = openLanes(a, b, options);
    const times = { idleTimeout, maxDuration };
    this.#clock = new Clock(this.#lanes, times, (what) => this.#onTimeUp(what));
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    try {
      if (this.#signal?.aborted) this.#abort();
      else this.#start();
    } catch (error) {
      // The signal or a stream is none of the platform's: what has been locked must not stay so.
      this.#stop();
      for (const { pump } of this.#lanes) pump.release();
      throw error;
    }
  }

  #start(): void {
    const onDrain = () => this.#windDown("drained");
    if (this.#signal) this.#unlisten = whenAborted(this.#signal, () => this.#abort());
    if (this.#drain) this.#undrain = whenAborted(this.#drain, onDrain);
    const isDrained = this.#drain?.aborted === true;
    for (const lane of this.#lanes) {
      if (isDrained) lane.pump.stop();
      lane.start(this);
    }
    if (isDrained) onDrain();
    if (!this.#isOver) this.#clock.look();
  }

  /** An end that cannot half-close is over both ways at its end of file: what was for it is discarded. */
  onSourceClosed(lane: Lane): void {
    const { from } = lane;
    if (from.halfCloseIn) return;
    from.markGone();
    this.#otherThan(lane).giveSinkUp();
  }

  onLaneEnd(lane: Lane, failed?: Failed): void {
    if (failed) return this.#onFailure(lane, failed);
    if (!this.#windingDown) this.#first ??= lane.from.name;
    this.onSourceClosed(lane);
    if (this.#parting?.distrusts(lane)) {
      return this.#onFailure(lane, { side: "read", error: this.#failure!.cause });
    }
    if (!lane.hasBegunHandOn) this.#handOn(lane);
    else if (lane.isOver) this.#onLaneOver(lane);
  }

  /** Lets the other end of a lane know that nothing more comes, once everything that was read has been written. */
  #handOn(lane: Lane): void {
    // To discard what an end still sends is to read from it, and that may have aborted the join.
    if (this.#isOver) return;
    lane.beginHandOn();
    // The other end's peer may be gone, and never confirm what is written to it: the silence counts from here.
    if (!this.#otherThan(lane).hasBegunHandOn) this.#countSilence(lane);
    this.#afterWrites(lane);
  }

  /** Half-closes once all is written. Looks again before: a pending read may have brought a chunk meanwhile. */
  #afterWrites(lane: Lane): void {
    const { pump } = lane;
    this.#after(
      pump.settled(),
      () => pump.isWriting ? this.#afterWrites(lane) : this.#halfCloseTo(lane),
    );
  }

  #halfCloseTo(lane: Lane): void {
    lane.cutSource();
    // What that has read may have aborted the join.
    if (this.#isOver) return;
    const { to } = lane;
    const isClosedEarly = to.sink.over && !to.isGone;
    const halfClosed = isClosedEarly
      ? to.sink.closed!.then(() => to.endWriting())
      : to.endWriting();
    this.#after(halfClosed, () => {
      lane.endHandOn();
      if (lane.isOver) this.#onLaneOver(lane);
    }, (error) => this.#onFailure(lane, { side: "write", error }));
  }

  #onLaneOver(lane: Lane): void {
    if (this.#parting) return this.#parting.onLaneOver(lane);
    // The last chunk of the other direction, which has failed, is still waited for.
    if (this.#failure || this.#isClosing) return;
    // Of two ends that cannot half-close, one that has ended takes nothing, and the other is told by its close.
    const isAll = lane.from.isGone && !lane.to.halfCloseIn;
    if (isAll || this.#otherThan(lane).isOver) this.#succeed();
    else if (this.#halfClose === "end") this.#windDown("eof");
    else this.#countSilence(lane);
  }

  /** Bounds the silence from here on: by a long default if the peer sees a half-close and may think, else a short. */
  #countSilence({ from, to }: Lane): void {
    const asked = this.#halfCloseTimeout;
    const isHalfClosed = to.halfCloseOut && !from.isGone;
    const timeout = asked ?? (isHalfClosed ? LONG_TIMEOUT_MS : SHORT_TIMEOUT_MS);
    this.#clock.halfClosed(timeout, asked !== undefined || !isHalfClosed);
  }

  /** Reads no further, but to drop what comes; what has been read is still handed on. */
  #windDown(why: "drained" | "eof"): void {
    const open = this.#lanes.filter((lane) => !lane.hasSourceEnded);
    if (this.#isOver || this.#failure || this.#windingDown || open.length === 0) return;
    this.#windingDown = why;
    const timeout = this.#halfCloseTimeout ?? SHORT_TIMEOUT_MS;
    this.#clock.windDown(why === "eof" ? Math.min(timeout, OTHER_END_MS) : timeout);
    for (const lane of open) {
      // A lane to an end that is gone drops what comes already.
      if (lane.to.isGone) continue;
      lane.pump.stop();
      this.#handOn(lane);
    }
  }

  #onFailure(lane: Lane, failed: Failed): void {
    // With `halfClose: "end"` the end of file is all that counts; no later failure does.
    if (this.#windingDown === "eof") return this.#fulfil("eof", (end) => end.closeSilently());
    const failure = lane.fail(failed);
    if (this.#failure) return this.#parting?.onLaneFailure(lane);
    this.#failure = failure;
    this.#first ??= failure.end;
    const other = this.#otherThan(lane);
    if (failed.side === "write") return this.#part(other, lane, failure, true);
    const { isBusy } = other.pump;
    // What was read before is owed to the sink; a stalled sink must not keep everything open.
    this.#after(bounded(lane.pump.settled()), () => {
      if (failed.side === "read") this.#part(lane, other, failure, isBusy);
      else this.#fail(failure);
    });
  }

  /** `words.from` is lost: delivers what it has sent, drops the `rest` that was meant for it, then fails. */
  #part(words: Lane, rest: Lane, failure: Failure, interrupts: boolean): void {
    let parted = Promise.resolve();
    if (!words.to.isGone) {
      this.#parting = new Parting(words, rest, failure, interrupts);
      this.#parting.start();
      parted = this.#parting.over;
    }
    this.#after(parted, () => this.#fail(failure));
  }

  #onTimeUp(what: TimeUp): void {
    if (this.#failure) return this.#fail(this.#failure);
    // All has passed; only the closing takes long.
    if (this.#isClosing) return this.#fulfil("eof");
    if (what === "half-close-timeout") {
      const ended = this.#windingDown === "eof" ? "eof" : "timeout";
      return this.#fulfil(ended, (end) => end.closeSilently());
    }
    this.#fail({ cause: this.#clock.error(what) }, what);
  }

  #succeed(): void {
    this.#isClosing = true;
    // To close an end that has not ended makes a read of it fail.
    for (const lane of this.#lanes) if (!lane.hasSourceEnded) lane.pump.halt();
    const closed = this.#lanes.map(({ from, hasSourceEnded }) => from.close(hasSourceEnded));
    this.#after(Promise.all(closed), () => this.#fulfil("eof"));
    // An end that is being closed may have aborted the join.
    if (!this.#isOver) this.#clock.beginClosing();
  }

  #abort(): void {
    const reason = abortReasonOf(this.#signal!);
    this.#tearDown(reason, () => reason);
  }

  #fail(failure: Failure, reason = reasonOf(failure.cause)): void {
    const other = this.#lanes.find((lane) => lane.failure !== failure)?.failure;
    const init = { ...failure, other, reason };
    const errorOf = () => new JoinError({ ...init, ...this.#passed });
    this.#tearDown(failure.cause, errorOf, this.#parting?.served);
  }

  /** What has passed by now. */
  get #passed() {
    const [{ counts: aToB }, { counts: bToA }] = this.#lanes;
    return { aToB, bToA, first: this.#first, ms: this.#clock.ms };
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
      (end) => end === served ? end.closeSilently() : end.tearDown(reason),
    );
  }

  /** Ends both ends in the same turn by `endIt`, unless they are closed already, then settles the outcome. */
  async #finish(settle: () => void, endIt?: (end: JoinedEnd) => Promise<void>): Promise<void> {
    if (this.#isOver) return;
    this.#stop();
    for (const { pump, from } of this.#lanes) {
      pump.halt();
      from.stopWaiting();
    }
    if (endIt) {
      await bounded(Promise.all(this.#lanes.map(({ from }) => endIt(from))));
      for (const { to: { sink } } of this.#lanes) if (sink.pending) await sink.lastWriteSettled?.();
    }
    for (const { pump } of this.#lanes) pump.release();
    settle();
  }

  /** Nothing that happens from here on is of interest: leaves no timer and no listener behind. */
  #stop(): void {
    this.#isOver = true;
    this.#clock.stop();
    this.#parting?.stop();
    this.#unlisten?.();
    this.#undrain?.();
  }

  /** Goes on with `next` once `promise` has fulfilled, or with `failed`, unless the join is over by then. */
  #after<T>(promise: Promise<T>, next: () => void, failed?: (error: unknown) => void): void {
    promise.then(
      () => this.#isOver || next(),
      failed && ((error) => this.#isOver || failed(error)),
    );
  }

  #otherThan(lane: Lane): Lane {
    return this.#lanes[lane === this.#lanes[0] ? 1 : 0];
  }
}
