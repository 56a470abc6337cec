// The hot loop of a pump: read, count, write; for `pump.ts` alone.

import { byteLengthOf, payloadOf } from "../check/bytes.ts";
import { type Receiver, Wait } from "./bypass.ts";
import type { Meter } from "./meter.ts";
import type { Shaper } from "./throttle.ts";
import { discard, type Sink, type Target, writeWhole, WRITTEN } from "./sink.ts";
import { EOF, NOTHING, type Source } from "./source.ts";
import { MIN_SHARE, turns } from "./turns.ts";

/** The first failure of a direction; a limit is one of neither side. */
export interface Failed {
  readonly side?: "read" | "write";
  readonly error: unknown;
}

/** For so many bytes counts what is done for each chunk, however small. */
const CHUNK_COST = 16 * 1024;

const READY = Promise.resolve();

/** What a step gives after which there is no other. */
const STOP = Symbol("stop");

/**
 * The hot loop: read ▸ meter ▸ write. It waits only for what is a promise; for a socket's by callbacks
 * that live as long as it does: an async function would weigh 0.5 KB, and each of its waits two closures
 * (V8).
 */
export abstract class Loop implements Receiver {
  readonly source: Source;
  readonly sink: Sink;
  readonly meter: Meter;
  readonly shaper?: Shaper;
  /** Where chunks go: the sink, or nowhere once it has been given up. */
  protected target: Target;
  protected reading = false;
  /** Whether a chunk has been read and not yet been written. */
  protected holding = false;
  protected stopped = false;
  protected sourceHasClosed = false;
  /** A read has found the end of the source, or has failed: there must be no other. */
  sourceOver = false;
  /** What was begun in an earlier turn has been given up and must not go on. */
  protected turn = 0;
  #awaitedRoom = false;
  /** Bytes that may be moved before the clock is looked at. */
  #credit = MIN_SHARE;
  /** In which it has last reported to be at work. */
  #period = -1;
  /** For what has to be told by closures. */
  #callbacks?: readonly [(result: unknown) => void, (error: unknown) => void];
  /** Called when it neither runs nor waits. */
  protected onStill?: () => void;
  #yielding?: ReturnType<typeof setTimeout>;

  constructor(source: Source, sink: Sink, meter: Meter, shaper?: Shaper) {
    this.source = source;
    this.sink = this.target = sink;
    sink.lent = source.lends;
    this.meter = meter;
    this.shaper = shaper;
  }

  /** Reports the end of the source, or a failure. */
  protected abstract end(failed?: Failed): void;
  /** Ends if a stream's state demands it. */
  abstract check(): void;
  /** The sink is being closed by somebody else. */
  abstract closedEarly(): void;
  protected abstract writeFailed(error: unknown): void;

  /** Starts, or starts anew in a new turn. */
  protected go(): void {
    this.came(undefined, this.turn);
  }

  /** What it has waited for is there: goes on until it has to wait again. */
  came(result: unknown, turn: number): void {
    const promise = this.#run(result, turn);
    if (promise) this.#wait(promise, turn);
  }

  /** What it has waited for has failed. */
  refused(error: unknown, turn: number): undefined {
    if (turn !== this.turn) return;
    if (this.reading) {
      this.reading = false;
      this.sourceOver = true;
      this.end({ side: "read", error });
    } else {
      this.writeFailed(error);
    }
    this.onStill?.();
  }

  /** Gives up whatever it waits for. */
  protected giveUp(): void {
    this.turn++;
    this.#callbacks = undefined;
    this.shaper?.hurry();
    this.rest();
    this.onStill?.();
  }

  /** Does not go on after having let others run. */
  protected rest(): void {
    turns.reportEnd(this.#period);
    this.#period = -1;
    clearTimeout(this.#yielding);
  }

  /** Steps until one has to be waited for: gives what to wait for. */
  #run(result: unknown, turn: number): PromiseLike<unknown> | undefined {
    if (turn !== this.turn) return;
    try {
      do {
        result = this.#step(result);
        if (turn !== this.turn) return forget(result);
        if (isPromise(result)) return result;
      } while (result !== STOP);
    } catch (error) {
      return this.refused(error, turn);
    }
    this.onStill?.();
  }

  /** Takes what the step before has brought; gives what the next is to take, or a promise of it. */
  #step(result: unknown): unknown {
    const { target } = this;
    if (this.reading) return this.#read(result);
    if (this.holding) {
      if (result !== WRITTEN) result = target.accept(result);
      if (result !== WRITTEN) return result;
      this.holding = false;
    }
    if (this.stopped) return STOP;
    if (target.full) {
      if (!this.#awaitedRoom) {
        this.#awaitedRoom = true;
        return target.ready!();
      }
      // A stream that is ready with no room is closing (WritableStream, `ready` and `desiredSize`); one
      // that is no longer writable tells why in `closed`.
      if (!target.over) this.closedEarly();
      return STOP;
    }
    this.#awaitedRoom = false;
    if (this.#credit <= 0) {
      this.#credit = turns.share;
      // Ends that answer without a promise let nobody else go on by themselves.
      if (turns.sliceLasts()) return READY;
      return turns.areShared ? turns.next() : this.#waitForTimer();
    }
    this.reading = true;
    return this.source.pull(this.shaper?.most);
  }

  /** What a read has brought is written. */
  #read(result: unknown): unknown {
    const chunk = this.source.take(result);
    this.reading = false;
    if (chunk === EOF) {
      this.sourceOver = true;
      this.end();
      return STOP;
    }
    if (chunk === NOTHING) return this.#waitForTimer();
    const { meter, shaper, target } = this;
    this.holding = true;
    meter.touch();
    const whole = this.source.messages;
    const size = whole ? payloadOf(chunk) : byteLengthOf(chunk);
    if (this.#period !== turns.period) this.#period = turns.reportWork();
    if (!this.source.willWait) {
      // Of a stream most chunks are handed on without being copied.
      this.#credit -= CHUNK_COST + (this.source.closed ? size / 8 : size);
    }
    if (shaper !== undefined && target !== discard) {
      return this.#writeShaped(chunk, size, shaper);
    }
    const written = target.write(chunk, size);
    // The source may have closed with this very chunk, unseen as long as it was being read.
    if (this.sourceHasClosed) this.check();
    return written;
  }

  async #writeShaped(
    chunk: unknown,
    size: number,
    shaper: Shaper,
  ): Promise<typeof WRITTEN> {
    const { target, meter, turn } = this;
    const whole = this.source.messages;
    const goOn = () => turn === this.turn;
    const hand = (piece: unknown) => {
      meter.touch();
      return writeWhole(target, piece, goOn, whole ? size : undefined);
    };
    const error = await shaper.shape(chunk, size, whole, goOn, hand);
    if (error && goOn()) this.end({ error });
    return WRITTEN;
  }

  /** Timers wait for their time, which leaves all others theirs. */
  #waitForTimer(): Promise<void> {
    return new Promise((resolve) => this.#yielding = setTimeout(resolve));
  }

  #wait(promise: PromiseLike<unknown>, turn: number): void {
    if (promise instanceof Wait) return promise.follow(this, turn);
    if (this.source.closed instanceof Promise) return void this.#awaitAll(promise, turn);
    const callbacks = this.#callbacks ??= [
      (result) => this.came(result, turn),
      (error) => this.refused(error, turn),
    ];
    // Somebody's own thenable might call back twice, or at once.
    Promise.resolve(promise).then(...callbacks);
  }

  /** A stream weighs more than that anyhow, and `await` is faster than `then()`: JavaScriptCore's by a fifth. */
  async #awaitAll(promise: PromiseLike<unknown>, turn: number): Promise<void> {
    let next: PromiseLike<unknown> | undefined = promise;
    while (next && !(next instanceof Wait)) {
      let result: unknown;
      try {
        result = await next;
      } catch (error) {
        return this.refused(error, turn);
      }
      next = this.#run(result, turn);
    }
    if (next) this.#wait(next, turn);
  }
}

const ignore = () => {};

/** What was begun in a turn that has been given up meanwhile: nobody wants to know. */
function forget(result: unknown): undefined {
  if (isPromise(result)) result.then(ignore, ignore);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return value instanceof Promise ||
    typeof value === "object" && value !== null && "then" in value &&
      typeof value.then === "function";
}
