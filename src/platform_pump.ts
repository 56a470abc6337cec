import { ByteCounterStream } from "./byte_counter.ts";
import type { Counts } from "./errors.ts";
import { Pump } from "./pump.ts";
import { discard, writeWhole } from "./sink.ts";
import { EOF, NOTHING } from "./source.ts";

/**
 * The same with the platform's own `pipeTo` and `pipeThrough` as the loop, counted by a
 * {@linkcode ByteCounterStream}: the reference for the pump. Both ends stay in our hands behind two
 * thin streams, so that a write that never settles cannot keep them locked.
 */
export class PlatformPump extends Pump {
  #controller?: ReadableStreamDefaultController<unknown>;
  #abandonWrite?: () => void;
  #pulling = false;
  #ended = false;
  #running?: Promise<void>;

  protected override go(): void {
    this.#running = this.#move(this.turn);
  }

  async #move(turn: number): Promise<void> {
    // The loop may still hold what came before the source's end: only a read tells that it is over.
    this.reading = true;
    const readable = new ReadableStream<unknown>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: (controller) => this.#pull(controller, turn),
      cancel: () => {
        this.#ended = true;
      },
    }, { highWaterMark: 0 });
    const writable = new WritableStream<unknown>({ write: (chunk) => this.#write(chunk, turn) });
    const counter = new ByteCounterStream<unknown>({ stats: this.#countsUntil(turn) });
    try {
      await readable.pipeThrough(counter).pipeTo(writable);
      if (turn === this.turn) this.end({ how: "eof" });
    } catch {
      // The read or the write that failed has told.
    }
  }

  protected override async written(): Promise<void> {
    await this.#running;
    await this.target.drained();
  }

  override drain(): void {
    this.target = discard;
    this.shaper?.hurry();
    this.#abandonWrite?.();
    this.givenUp?.();
  }

  override halt(): void {
    super.halt();
    // Not by an error: in workerd, one that comes with the sink's own is a rejection that nobody can catch.
    this.#close();
    this.#abandonWrite?.();
  }

  protected override closedUnanswered(): void {
    if (this.#pulling) this.#close();
  }

  #close(): void {
    if (!this.#ended) this.#controller?.close();
    this.#ended = true;
  }

  /** What still runs through the loop after a halt is not to change what has been reported. */
  #countsUntil(turn: number): Counts {
    const { counts } = this.meter;
    const goesOn = () => turn === this.turn;
    return {
      get bytes() {
        return counts.bytes;
      },
      set bytes(bytes) {
        if (goesOn()) counts.bytes = bytes;
      },
      get chunks() {
        return counts.chunks;
      },
      set chunks(chunks) {
        if (goesOn()) counts.chunks = chunks;
      },
    };
  }

  async #pull(controller: ReadableStreamDefaultController<unknown>, turn: number): Promise<void> {
    const goOn = () => turn === this.turn && !this.#ended;
    let brought = false;
    const enqueue = (piece: unknown) => {
      if (this.target === discard) return;
      if (this.meter.timed) this.meter.touch();
      controller.enqueue(piece);
      brought = true;
    };
    try {
      do {
        this.#pulling = true;
        const result = await this.source.pull();
        if (!goOn()) return;
        const chunk = this.source.take(result);
        this.#pulling = false;
        if (this.meter.timed) this.meter.touch();
        if (chunk === EOF) return this.#close();
        if (chunk === NOTHING || this.target === discard) continue;
        const { shaper } = this;
        const limited = shaper ? await shaper.shape(chunk, true, goOn, enqueue) : enqueue(chunk);
        if (!limited || this.target === discard) continue;
        // What came before the limit is still delivered.
        this.#close();
        this.end({ how: "failed", error: limited });
        // A pull that has brought nothing is not repeated by the stream.
      } while (goOn() && !brought);
    } catch (error) {
      this.#ended = true;
      controller.error(error);
      this.end({ how: "failed", side: "read", error });
    }
  }

  async #write(chunk: unknown, turn: number): Promise<void> {
    const target = this.target;
    const current = () => target === this.target && turn === this.turn;
    this.holding = true;
    try {
      await this.#orAbandoned(writeWhole(target, chunk, current));
      if (this.meter.timed) this.meter.touch();
    } catch (error) {
      if (current()) this.writeFailed(error);
      throw error;
    } finally {
      this.holding = false;
    }
  }

  /** As `write`, but fulfils at once when it is given up: a stuck one must not keep the loop alive. */
  #orAbandoned(write: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#abandonWrite = resolve;
      write.then(resolve, reject);
    });
  }
}
