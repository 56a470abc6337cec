import { assertEnd } from "./assert_end.ts";
import type { Conn, End, Pair } from "./ends.ts";
import { type Failure, JoinError, refuse } from "./errors.ts";
import { type CheckedOptions, type JoinOptions, readOptions } from "./join_options.ts";
import { bounded, JoinedEnd } from "./joined_end.ts";
import type { Lane } from "./lane.ts";
import { openLanes } from "./lanes.ts";
import type { Failed } from "./loop.ts";
import { LONGEST_TIMEOUT } from "./options.ts";
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
  /** Whether both directions reached their end, or the second fell silent for `halfCloseTimeout`. */
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

const HALF_CLOSE_TIMEOUT_MS = 30_000;

/** One `join`: two lanes, one outcome. */
class Join implements PumpOwner, EventListenerObject {
  readonly result: Promise<JoinResult>;
  readonly #lanes: readonly [Lane, Lane];
  readonly #signal?: AbortSignal;
  readonly #idleTimeout: number;
  /** The default is that of the end that has to wait, once there is one. */
  #halfCloseTimeout: number;
  readonly #halfCloseDefaults: boolean;
  readonly #timed: boolean;
  #timer?: ReturnType<typeof setTimeout>;
  #halfClosedAt = Infinity;
  readonly #startedAt = performance.now();
  /** The end that was the first to end or to fail. */
  #first?: "a" | "b";
  #failure?: Failure;
  #parting?: Parting;
  #over = false;
  #resolve!: (result: JoinResult) => void;
  #reject!: (error: unknown) => void;

  constructor(endA: End<unknown, unknown>, endB: End<unknown, unknown>, options: CheckedOptions) {
    const { preventClose, signal, idleTimeout } = options;
    const a = new JoinedEnd("a", endA, preventClose.a);
    const b = new JoinedEnd("b", endB, preventClose.b);
    this.#signal = signal;
    this.#idleTimeout = idleTimeout;
    this.#halfCloseDefaults = options.halfCloseTimeout === undefined;
    this.#halfCloseTimeout = options.halfCloseTimeout ??
      (a.halfClose === true && b.halfClose === true ? Infinity : HALF_CLOSE_TIMEOUT_MS);
    this.#timed = Math.min(idleTimeout, this.#halfCloseTimeout) !== Infinity;
    this.#lanes = openLanes(a, b, options, this.#timed);
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal?.aborted) this.handleEvent();
    else this.#start();
  }

  #start(): void {
    this.#signal?.addEventListener("abort", this);
    for (const lane of this.#lanes) lane.start(this);
    if (!this.#over) this.#watch();
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
    lane.sourceEnded = true;
    this.#first ??= lane.from.name;
    this.sourceClosed(lane);
    const { sink, to } = lane;
    if (this.#parting?.distrusts(lane)) {
      return this.#laneFailed(lane, { side: "read", error: this.#failure!.cause });
    }
    try {
      // Everything read must be written before the other end learns that this one has ended.
      await lane.settled();
      if (this.#over) return;
      if (sink.over && !to.gone) await sink.closed;
      if (this.#over) return;
      // Its peer may be gone and never confirm that: the silence counts from here.
      if (this.#halfClosedAt === Infinity) this.#countSilence(lane);
      if (this.#over) return;
      await to.endWriting();
    } catch (error) {
      return this.#laneFailed(lane, { side: "write", error });
    }
    if (this.#over) return;
    lane.ended = true;
    if (this.#parting) return this.#parting.laneEnded(lane);
    if (this.#otherThan(lane).ended) return this.#succeed();
    this.#countSilence(lane);
  }

  /** One that has been half-closed takes the time it needs: a peer that uploads into a file may pause. */
  #countSilence({ from, to }: Lane): void {
    this.#halfClosedAt = performance.now();
    const halfClosed = to.halfClose === true && !from.gone;
    if (this.#halfCloseDefaults && halfClosed) this.#halfCloseTimeout = Infinity;
    this.#watch();
  }

  async #laneFailed(lane: Lane, failed: Failed): Promise<void> {
    if (this.#over) return;
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

  /** What has passed, and how, by now. */
  get #passed() {
    const [{ counts: aToB }, { counts: bToA }] = this.#lanes;
    const ms = Math.round(performance.now() - this.#startedAt);
    return { aToB, bToA, first: this.#first, ms };
  }

  /** The signal aborts. */
  handleEvent(): void {
    if (this.#over) return;
    const { reason } = this.#signal!;
    this.#tearDown(reason, () => reason);
  }

  /** Waits for a deadline that traffic keeps moving: one timer, never reset by a chunk. */
  #watch(): void {
    if (!this.#timed) return;
    clearTimeout(this.#timer);
    const moved = this.#lanes.map((lane) => lane.lastActivity);
    const deadline = Math.min(Math.max(...moved) + this.#idleTimeout, this.#silentAt());
    const left = deadline - performance.now();
    if (left <= 0) this.#expired();
    else if (left !== Infinity) {
      this.#timer = setTimeout(() => this.#watch(), Math.min(left, LONGEST_TIMEOUT));
    }
  }

  /** When the direction that is left will have been silent for too long. */
  #silentAt(): number {
    const left = this.#lanes.filter((lane) => !lane.ended).map((lane) => lane.lastActivity);
    return Math.max(this.#halfClosedAt, ...left) + this.#halfCloseTimeout;
  }

  #expired(): void {
    if (this.#failure) return this.#fail(this.#failure);
    // All has passed; only the closing takes long.
    if (this.#lanes.every((lane) => lane.ended)) return this.#fulfil("eof");
    if (this.#silentAt() <= performance.now()) {
      return this.#fulfil("timeout", (end) => end.closeSilent());
    }
    const message = `Nothing was read or written for ${this.#idleTimeout} ms`;
    this.#fail({ cause: new DOMException(message, "TimeoutError") }, "idle");
  }

  async #succeed(): Promise<void> {
    await Promise.all(this.#lanes.map(({ from }) => from.close()));
    if (!this.#over) this.#fulfil("eof");
  }

  #fulfil(ended: "eof" | "timeout", endIt?: (end: JoinedEnd) => Promise<void>): void {
    const reason = ended === "eof" ? ended : "half-close-timeout";
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
    clearTimeout(this.#timer);
    this.#parting?.stop();
    this.#signal?.removeEventListener("abort", this);
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
