import { byteLengthOf } from "./bytes.ts";
import { type Receiver, Wait } from "./direct.ts";
import type { Meter } from "./meter.ts";
import type { Shaper } from "./shaper.ts";
import { discard, type Sink, writeWhole, WRITTEN } from "./sink.ts";
import { EOF, NOTHING, type Source } from "./source.ts";

/** How a direction ended: at the end of its source, or with the first failure. */
export type Ending =
  | { readonly how: "eof" }
  | { readonly how: "failed"; readonly side?: "read" | "write"; readonly error: unknown };

/** Ends that answer at once, without a promise, would starve everything else: so often others run. */
const MOST_TURNS_WITHOUT_WAITING = 1024;

/**
 * The hot loop: read ▸ meter ▸ write. It waits only for what is a promise, by callbacks that live as
 * long as it does: an async function would weigh 0.5 KB, and each of its waits two closures (V8).
 *
 * A step gives `true` to go on; `false` if it waits, and goes on by itself, or if it has ended.
 */
export abstract class Loop implements Receiver {
  readonly source: Source;
  readonly sink: Sink;
  readonly meter: Meter;
  readonly shaper?: Shaper;
  /** Where chunks go: the sink, or nowhere once it has been given up. */
  protected target: Sink;
  protected reading = false;
  /** Whether a chunk has been read and not yet been written. */
  protected holding = false;
  protected stopped = false;
  protected sourceHasClosed = false;
  /** What was begun in an earlier turn has been given up and must not go on. */
  protected turn = 0;
  #waiting = false;
  #awaitsRoom = false;
  #turnsWithoutWaiting = 0;
  /** For what has to be told by closures. */
  #callbacks?: readonly [(result: unknown) => void, (error: unknown) => void];
  #onStill?: () => void;
  #yielding?: ReturnType<typeof setTimeout>;

  constructor(source: Source, sink: Sink, meter: Meter, shaper?: Shaper) {
    this.source = source;
    this.sink = this.target = sink;
    this.meter = meter;
    this.shaper = shaper;
  }

  /** Reports how it ended. */
  protected abstract end(ending: Ending): void;
  /** Ends if a stream's state demands it. */
  abstract check(): void;
  /** The sink is being closed by somebody else. */
  abstract closedEarly(): void;
  protected abstract writeFailed(error: unknown): void;

  /** Starts, or starts anew in a new turn. */
  protected go(): void {
    this.#awaitsRoom = false;
    this.#callbacks = undefined;
    this.#goOn(undefined);
  }

  /** What it has waited for is there. */
  came(result: unknown, turn: number): void {
    if (turn === this.turn) this.#goOn(result);
  }

  /** What it has waited for has failed. */
  refused(error: unknown, turn: number): void {
    if (turn !== this.turn) return;
    this.#failed(error);
    this.#stand();
  }

  /** Gives up whatever it waits for. */
  protected giveUp(): void {
    this.turn++;
    this.shaper?.hurry();
    this.rest();
    this.#stand();
  }

  /** Does not go on after having let others run. */
  protected rest(): void {
    clearTimeout(this.#yielding);
  }

  /** Fulfils once it neither runs nor waits. */
  protected still(): Promise<void> {
    if (!this.#waiting) return Promise.resolve();
    return new Promise((resolve) => this.#onStill = resolve);
  }

  #goOn(result: unknown): void {
    const { turn } = this;
    this.#waiting = false;
    try {
      if (this.#came(result)) { while (this.#step()) continue; }
    } catch (error) {
      if (turn === this.turn) this.#failed(error);
    }
    if (turn === this.turn && !this.#waiting) this.#stand();
  }

  /** Takes what it has waited for. */
  #came(result: unknown): boolean {
    if (this.reading) return this.#read(result);
    if (this.holding) return this.#written(result, this.turn);
    return this.#awaitsRoom ? this.#room() : true;
  }

  #step(): boolean {
    if (this.stopped) return false;
    if (this.target.full) {
      this.#awaitsRoom = true;
      return this.#wait(this.target.ready());
    }
    if (this.#turnsWithoutWaiting++ === MOST_TURNS_WITHOUT_WAITING) return this.#letOthersRun();
    const { turn } = this;
    this.reading = true;
    const result = this.source.pull();
    if (turn !== this.turn) return forget(result);
    return isPromise(result) ? this.#wait(result) : this.#read(result);
  }

  /** What a read has brought is written. */
  #read(result: unknown): boolean {
    const chunk = this.source.take(result);
    this.reading = false;
    if (chunk === EOF) {
      this.end({ how: "eof" });
      return false;
    }
    if (chunk === NOTHING) return this.#letOthersRun();

    const { meter, shaper, target, turn } = this;
    this.holding = true;
    if (meter.timed) meter.touch();
    if (shaper !== undefined && target !== discard) {
      return this.#wait(this.#writeShaped(chunk, shaper));
    }
    const written = target.write(chunk, byteLengthOf(chunk));
    // The source may have closed with this very chunk, unseen as long as it was being read.
    if (this.sourceHasClosed) this.check();
    return this.#written(written, turn);
  }

  #written(written: unknown, turn: number): boolean {
    const { target } = this;
    while (written !== WRITTEN) {
      if (turn !== this.turn) return forget(written);
      if (isPromise(written)) return this.#wait(written);
      if (target.accept(written)) break;
      written = target.writeRest();
    }
    if (turn !== this.turn) return false;
    this.holding = false;
    return true;
  }

  #room(): boolean {
    this.#awaitsRoom = false;
    const sink = this.target;
    if (this.stopped || !sink.full) return true;
    // A stream that is ready with no room is closing (WritableStream, `ready` and `desiredSize`); one
    // that is no longer writable tells why in `closed`.
    if (sink.writable) this.closedEarly();
    return false;
  }

  async #writeShaped(chunk: unknown, shaper: Shaper): Promise<typeof WRITTEN> {
    const { target, meter, turn } = this;
    const goOn = () => turn === this.turn;
    const error = await shaper.shape(chunk, !target.consumes, goOn, (piece) => {
      if (meter.timed) meter.touch();
      return writeWhole(target, piece, goOn);
    });
    if (error && goOn()) this.end({ how: "failed", error });
    return WRITTEN;
  }

  #letOthersRun(): boolean {
    return this.#wait(new Promise((resolve) => this.#yielding = setTimeout(resolve)));
  }

  #wait(promise: PromiseLike<unknown>): false {
    this.#waiting = true;
    this.#turnsWithoutWaiting = 0;
    const { turn } = this;
    if (promise instanceof Wait) {
      promise.follow(this, turn);
      return false;
    }
    const callbacks = this.#callbacks ??= [
      (result) => this.came(result, turn),
      (error) => this.refused(error, turn),
    ];
    // Somebody's own thenable might call back twice, or at once.
    (promise instanceof Promise ? promise : Promise.resolve(promise)).then(...callbacks);
    return false;
  }

  #failed(error: unknown): void {
    if (this.reading) {
      this.reading = false;
      return this.end({ how: "failed", side: "read", error });
    }
    this.writeFailed(error);
  }

  #stand(): void {
    this.#waiting = false;
    this.#onStill?.();
    this.#onStill = undefined;
  }
}

const ignore = () => {};

/** What was begun in a turn that has been given up meanwhile: nobody wants to know. */
function forget(result: unknown): false {
  if (isPromise(result)) result.then(ignore, ignore);
  return false;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
