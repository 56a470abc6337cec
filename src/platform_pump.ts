import { ByteCounterStream } from "./byte_counter.ts";
import { byteLengthOf, bytesOf } from "./bytes.ts";
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

  protected override async move(turn: number): Promise<void> {
    // The loop may still hold what came before the source's end: only a read tells that it is over.
    this.reading = true;
    const readable = new ReadableStream<unknown>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: (controller) => this.#pull(controller, turn),
    }, { highWaterMark: 0 });
    const writable = new WritableStream<unknown>({ write: (chunk) => this.#write(chunk, turn) });
    const counter = new ByteCounterStream<unknown>({ stats: this.meter.counts });
    try {
      await readable.pipeThrough(counter).pipeTo(writable);
      if (turn === this.turn) this.end({ how: "eof" });
    } catch {
      // The read or the write that failed has told.
    }
  }

  override async settled(): Promise<void> {
    await this.running;
  }

  override drain(): void {
    this.target = discard;
    this.shaper?.hurry();
    this.#abandonWrite?.();
  }

  override halt(): void {
    super.halt();
    if (!this.#ended) this.#controller?.error(new Error("The join has ended"));
    this.#ended = true;
    this.#abandonWrite?.();
  }

  protected override closedUnanswered(): void {
    if (this.#pulling) this.#close();
  }

  #close(): void {
    if (!this.#ended) this.#controller?.close();
    this.#ended = true;
  }

  async #pull(controller: ReadableStreamDefaultController<unknown>, turn: number): Promise<void> {
    try {
      let chunk: unknown;
      do {
        this.#pulling = true;
        const result = await this.source.pull();
        if (turn !== this.turn || this.#ended) return;
        chunk = this.source.take(result);
        this.#pulling = false;
        if (this.meter.timed) this.meter.touch();
      } while (chunk === NOTHING || chunk !== EOF && this.target === discard);
      if (chunk === EOF) return this.#close();
      await this.#shape(chunk, controller);
    } catch (error) {
      if (this.#ended) return;
      if (this.#pulling) {
        this.#ended = true;
        controller.error(error);
        return this.end({ how: "failed", side: "read", error });
      }
      // At the limit; what came before it is still delivered.
      this.#close();
      this.end({ how: "failed", error });
    }
  }

  async #shape(
    chunk: unknown,
    controller: ReadableStreamDefaultController<unknown>,
  ): Promise<void> {
    const { shaper } = this;
    let rest = chunk;
    let left = byteLengthOf(chunk);
    while (shaper !== undefined && left > 0) {
      const size = shaper.grant(left);
      await shaper.pass(size);
      if (this.#ended || this.target === discard) return;
      if (size === left) break;
      const bytes = bytesOf(rest)!;
      controller.enqueue(bytes.slice(0, size));
      rest = bytes.subarray(size);
      left -= size;
    }
    controller.enqueue(rest);
  }

  async #write(chunk: unknown, turn: number): Promise<void> {
    const target = this.target;
    const current = () => target === this.target && turn === this.turn;
    this.holding = true;
    try {
      await this.#orAbandoned(writeWhole(target, chunk, current));
      if (this.meter.timed) this.meter.touch();
    } catch (error) {
      if (current()) this.end({ how: "failed", side: "write", error });
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
