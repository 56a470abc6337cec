import { assertEnds } from "./assert_end.ts";
import type { Conn, End, Pair } from "./ends.ts";
import { type Failure, JoinError } from "./errors.ts";
import { type CheckedOptions, type JoinOptions, readOptions } from "./join_options.ts";
import { bounded, GRACE_MS, JoinedEnd } from "./joined_end.ts";
import { type Lane, type LaneOwner, openLanes } from "./lane.ts";
import type { Ending } from "./loop.ts";
import { Meter } from "./meter.ts";
import type { PipeResult } from "./pipe.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";
import { Watchdog } from "./watchdog.ts";

/** What {@linkcode join} has moved. */
export interface JoinResult {
  /** What has passed from `a` to `b`. */
  aToB: PipeResult;
  /** What has passed from `b` to `a`. */
  bToA: PipeResult;
  /** Whether both directions reached their end, or the second fell silent for `halfCloseTimeout`. */
  ended: "eof" | "timeout";
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
 * {@linkcode LimitError}) and after `idleTimeout` (cause: a `TimeoutError` `DOMException`).
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
    assertEnds("Cannot join", a, b);
    return new Join(a, b, readOptions(options)).result;
  } catch (error) {
    return Promise.reject(error);
  }
}

const HALF_CLOSE_TIMEOUT_MS = 30_000;

/** One `join`: two lanes, one outcome. */
class Join implements LaneOwner, EventListenerObject {
  readonly result: Promise<JoinResult>;
  readonly #ends: { readonly a: JoinedEnd; readonly b: JoinedEnd };
  readonly #lanes: readonly [Lane, Lane];
  readonly #signal?: AbortSignal;
  readonly #idleTimeout: number;
  readonly #halfCloseTimeout: number;
  readonly #watchdog?: Watchdog;
  #halfClosedAt = Infinity;
  #failure?: Failure;
  #grace?: ReturnType<typeof setTimeout>;
  #over = false;
  #resolve!: (result: JoinResult) => void;
  #reject!: (error: unknown) => void;

  constructor(a: End<unknown, unknown>, b: End<unknown, unknown>, options: CheckedOptions) {
    const { preventClose, stats = {} } = options;
    const ends = { a: new JoinedEnd(a, preventClose.a), b: new JoinedEnd(b, preventClose.b) };
    const bothHalfClose = ends.a.halfCloses && ends.b.halfCloses;
    this.#ends = ends;
    this.#signal = options.signal;
    this.#idleTimeout = options.idleTimeout;
    this.#halfCloseTimeout = options.halfCloseTimeout ??
      (bothHalfClose ? Infinity : HALF_CLOSE_TIMEOUT_MS);
    const timed = Math.min(this.#idleTimeout, this.#halfCloseTimeout) !== Infinity;
    const aToB = new Meter(stats.aToB = { bytes: 0, chunks: 0 }, timed);
    const bToA = new Meter(stats.bToA = { bytes: 0, chunks: 0 }, timed);
    this.#lanes = openLanes(ends, { aToB, bToA }, options);
    if (timed) this.#watchdog = new Watchdog(() => this.#deadline(), () => this.#expired());

    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (this.#signal?.aborted) this.handleEvent();
    else this.#start();
  }

  #start(): void {
    this.#signal?.addEventListener("abort", this);
    for (const lane of this.#lanes) lane.start(this);
    if (!this.#over) this.#watchdog?.watch();
  }

  /** An end that has ended and cannot half-close takes nothing any more either. */
  sourceClosed(lane: Lane): void {
    const from = this.#ends[lane.from];
    if (!from.endsWhole || from.gone) return;
    from.gone = true;
    this.#otherThan(lane).pump.drain();
  }

  async laneEnded(lane: Lane, ending: Ending): Promise<void> {
    if (ending.how === "failed") return this.#laneFailed(lane, ending);
    this.sourceClosed(lane);
    try {
      // Everything read must be written before the other end learns that this one has ended.
      const { sink } = lane.pump;
      await lane.pump.settled();
      if (this.#over) return;
      if (!sink.writable && !this.#ends[lane.to].gone) await sink.closed;
      // Its peer may be gone and never confirm that: the silence counts from here.
      if (this.#halfClosedAt === Infinity) {
        this.#halfClosedAt = performance.now();
        this.#watchdog?.watch();
        if (this.#over) return;
      }
      await this.#ends[lane.to].halfClose(sink);
    } catch (error) {
      return this.#laneFailed(lane, { how: "failed", side: "write", error });
    }
    if (this.#over) return;
    lane.ended = true;
    const other = this.#otherThan(lane);
    if (other.ended) return this.#succeed();
    this.#halfClosedAt = performance.now();
    this.#watchdog?.watch();
  }

  async #laneFailed(lane: Lane, ending: Ending & { how: "failed" }): Promise<void> {
    if (this.#over) return;
    const failure = lane.failed(ending);
    if (this.#failure) return;
    this.#failure = failure;
    if (ending.side !== "write") {
      // What was read before is owed to the sink; a stalled one must not keep everything open.
      this.#grace = setTimeout(() => this.#fail(failure), GRACE_MS);
      await lane.pump.settled();
    }
    this.#fail(failure);
  }

  #fail(failure: Failure): void {
    if (this.#over) return;
    const other = this.#lanes.find((lane) => lane.failure && lane.failure !== failure)?.failure;
    const [{ counts: aToB }, { counts: bToA }] = this.#lanes;
    const error = new JoinError({ ...failure, other, aToB, bToA });
    void this.#tearDown(failure.cause, error);
  }

  /** The signal aborts. */
  handleEvent(): void {
    if (this.#over) return;
    const { reason } = this.#signal!;
    void this.#tearDown(reason, reason);
  }

  #deadline(): number {
    const [aToB, bToA] = this.#lanes;
    const idle = Math.max(aToB.lastActivity, bToA.lastActivity) + this.#idleTimeout;
    return Math.min(idle, this.#silentAt());
  }

  /** When the direction that is left will have been silent for too long. */
  #silentAt(): number {
    if (this.#halfClosedAt === Infinity) return Infinity;
    const left = this.#lanes.filter((lane) => !lane.ended).map((lane) => lane.lastActivity);
    return Math.max(this.#halfClosedAt, ...left) + this.#halfCloseTimeout;
  }

  #expired(): void {
    if (this.#over) return;
    if (this.#failure) return this.#fail(this.#failure);
    if (this.#lanes.every((lane) => lane.ended)) {
      // All has passed; only the closing takes long.
      this.#finish();
      return this.#fulfil("eof");
    }
    if (this.#silentAt() <= performance.now()) return void this.#giveUpWaiting();
    const message = `Nothing was read or written for ${this.#idleTimeout} ms`;
    this.#fail({ cause: new DOMException(message, "TimeoutError") });
  }

  async #giveUpWaiting(): Promise<void> {
    this.#finish();
    await this.#endBoth((end, source, sink) => end.closeSilent(source, sink));
    this.#fulfil("timeout");
  }

  async #succeed(): Promise<void> {
    const { a, b } = this.#ends;
    const [{ pump: aToB }, { pump: bToA }] = this.#lanes;
    await Promise.all([a.close(bToA.sink), b.close(aToB.sink)]);
    if (this.#over) return;
    this.#finish();
    this.#fulfil("eof");
  }

  async #tearDown(reason: unknown, error: unknown): Promise<void> {
    this.#finish();
    await this.#endBoth((end, source, sink) => end.tearDown(source, sink, reason));
    this.#release();
    this.#reject(error);
  }

  /** Both in the same turn, and no longer than it may take. */
  #endBoth(by: (end: JoinedEnd, source: Source, sink: Sink) => Promise<void>): Promise<void> {
    const { a, b } = this.#ends;
    const [{ pump: aToB }, { pump: bToA }] = this.#lanes;
    return bounded(
      Promise.all([by(a, aToB.source, bToA.sink), by(b, bToA.source, aToB.sink)]),
      GRACE_MS,
    );
  }

  /** Nothing that happens from here on changes the outcome. */
  #finish(): void {
    this.#over = true;
    clearTimeout(this.#grace);
    this.#watchdog?.stop();
    this.#signal?.removeEventListener("abort", this);
    for (const { pump } of this.#lanes) pump.halt();
  }

  #release(): void {
    for (const { pump } of this.#lanes) pump.release();
  }

  #fulfil(ended: "eof" | "timeout"): void {
    this.#release();
    const [{ counts: aToB }, { counts: bToA }] = this.#lanes;
    this.#resolve({ aToB, bToA, ended });
  }

  #otherThan(lane: Lane): Lane {
    return this.#lanes[lane === this.#lanes[0] ? 1 : 0];
  }
}
