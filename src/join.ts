import { abortReasonOf, whenAborted } from "./abort.ts";
import { assertEnd } from "./assert_end.ts";
import { Clock, type TimeUp } from "./clock.ts";
import type { Conn, End, Pair } from "./ends.ts";
import { type Failure, JoinError, refuse } from "./errors.ts";
import { type CheckedOptions, type JoinOptions, readOptions } from "./join_options.ts";
import { bounded, JoinedEnd } from "./joined_end.ts";
import type { Lane } from "./lane.ts";
import { openLanes } from "./lanes.ts";
import type { Failed } from "./loop.ts";
import { Parting } from "./parting.ts";
import type { PipeResult } from "./pipe.ts";
import type { PumpOwner } from "./pump.ts";
import { type EndReason, reasonOf } from "./reason.ts";

/** What {@linkcode join} has moved. */
export interface JoinResult {
  /** What has passed from `a` to `b`. */
  aToB: PipeResult;
  /** What has passed from `b` to `a`. */
  bToA: PipeResult;
  /** Whether both directions reached their end, or what was left fell silent for `halfCloseTimeout`. */
  ended: "eof" | "timeout";
  /** Why it ended, in one word. */
  reason: EndReason;
  /** The end that was the first to end. */
  first?: "a" | "b";
  /** How long it took, in milliseconds. */
  ms: number;
}

/**
 * Connects two ends: whatever one sends, the other gets, both ways at once, until both have ended.
 *
 * When one end reaches its end of file, everything read is written to the other, whose write side
 * alone is closed then; the other direction goes on. When both directions have ended, each end is
 * closed once. Both ends belong to `join` until its promise settles, and are closed by then.
 *
 * On the first failure, and on an abort, both ends are torn down in the same turn: a pair's `readable`
 * is cancelled, its `writable` aborted and its `close` called, a Go-style end's `abort`, else its
 * `close`, each with the bare reason. No pending write is waited for, but for the chunk in flight after
 * a failed read or at the limit, for at most 1 s; nor is the teardown itself for longer than that.
 *
 * After a failed write, first, what that end has sent is still delivered: up to its end of file, another
 * failure, or a second in which nothing of it moves (silence, not age: an answer may be long). If that
 * was all of it, the other end is half-closed. What that one still sends is read and dropped, uncounted,
 * until it ends, for a second of silence and five in all, as closing it on top of unread input would
 * reset its connection, and destroy the answer; then it is closed as after success, and `join` rejects.
 * So it is if a read fails in the middle of a write to the same end, but without the half-close and with
 * a teardown at last. A signal that aborts cuts all that at once.
 *
 * @typeParam A The chunks that `a` sends.
 * @typeParam B The chunks that `b` sends.
 * @param a One end: a pair of streams or a Go-style end as a `Deno.Conn`.
 * @param b The other end.
 * @param options Limits and timeouts; see {@linkcode JoinOptions}.
 * @returns What passed each way.
 * @throws {TypeError} If an end is none, needs an adapter, has a locked stream or is given twice, or if
 * an option is of the wrong type; nothing is touched.
 * @throws {RangeError} If an option is out of range; nothing is touched.
 * @throws {JoinError} If a read or a write fails, with the error as its `cause`; at the `limit` (cause: a
 * {@linkcode LimitError}), after `idleTimeout` (cause: a `TimeoutError` `DOMException`), and if an end's own
 * `close` fails when all has passed.
 * @throws `signal.reason` if the signal aborts.
 *
 * @example Connect two in-memory ends
 * ```ts
 * import { join, memoryPair } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, a] = memoryPair();
 * const [b, server] = memoryPair();
 * const joined = join(a, b);
 *
 * const request = client.writable.getWriter();
 * await request.write(new TextEncoder().encode("question"));
 * await request.close();
 * assertEquals(await new Response(server.readable).text(), "question");
 *
 * // The client has ended, and still gets its answer.
 * const response = server.writable.getWriter();
 * await response.write(new TextEncoder().encode("answer"));
 * await response.close();
 * assertEquals(await new Response(client.readable).text(), "answer");
 *
 * const { aToB, bToA } = await joined;
 * assertEquals([aToB.bytes, bToA.bytes], [8, 6]);
 * ```
 */
export function join<A, B>(
  a: Pair<A, B> | Conn,
  b: Pair<B, A> | Conn,
  options?: JoinOptions,
): Promise<JoinResult> {
  try {
    assertEnd("join", "a", a);
    assertEnd("join", "b", b);
    if (a as unknown === b) refuse("join", "b", "must be another end than 'a'", b);
    return new Join(a, b, readOptions(options)).result;
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Where an end cannot half-close, or nothing is left for its peer to think about. */
const SHORT_TIMEOUT_MS = 30_000;
const LONG_TIMEOUT_MS = 3_600_000;
/** How long the end of one end leaves the other, with `halfClose: "end"`. */
const LINGER_MS = 500;

/** One `join`: two lanes, one outcome. */
class Join implements PumpOwner {
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
    const { sink, to } = lane;
    lane.handingOn = true;
    // Its peer may be gone and never confirm that: the silence counts from here.
    if (!this.#otherThan(lane).handingOn) this.#countSilence(lane);
    if (this.#over) return;
    try {
      // Everything read must be written before.
      await lane.settled();
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
    if (this.#otherThan(lane).ended) return void this.#succeed();
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
      await this.#part(other, lane, failure);
    } else {
      const interrupts = failed.side === "read" && other.busy;
      // What was read before is owed to the sink; a stalled one must not keep everything open.
      await bounded(lane.settled());
      if (interrupts) await this.#part(lane, other, failure);
    }
    this.#fail(failure);
  }

  /** An end is lost that sends `words`, and that cannot take the `rest` any more. */
  async #part(words: Lane, rest: Lane, failure: Failure): Promise<void> {
    if (this.#over || words.to.gone) return;
    this.#parting = new Parting(words, rest, failure);
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
    if (endIt) await bounded(Promise.all(this.#lanes.map(({ from }) => endIt(from))));
    for (const lane of this.#lanes) lane.release();
    settle();
  }

  #otherThan(lane: Lane): Lane {
    return this.#lanes[lane === this.#lanes[0] ? 1 : 0];
  }
}
