// A lane by the platform's own pipeTo (`via: "pipeTo"`); for `lanes.ts` alone.

import { ByteCounterStream } from "../byte_counter.ts";
import { byteLengthOf } from "../check/bytes.ts";
import { Lane } from "./lane.ts";
import type { Failed } from "../core/loop.ts";
import { discard, type Target, writeWhole, WRITTEN } from "../core/sink.ts";

const ignore = () => {};

/**
 * The same with the platform's own `pipeTo` between the source and the sink, through a
 * {@linkcode ByteCounterStream}: the reference for the pump. Both ends stay in our hands on its two
 * sides, so that a write that never settles cannot keep them locked.
 */
export class PlatformLane extends Lane {
  #writer?: WritableStreamDefaultWriter<unknown>;

  protected override go(): void {
    if (this.target !== discard) this.target = this.#pipeTo(this.target);
    super.go();
  }

  protected override end(failed?: Failed): void {
    // What has been read is still written, and that may fail.
    this.stop();
    this.#writer?.close().catch(ignore);
    if (failed) super.end(failed);
    else void this.settled().then(() => super.end());
  }

  /** What it is given comes to `sink` by way of the platform. */
  #pipeTo(sink: Target): Target {
    const { meter } = this;
    const goOn = () => this.target === piped;
    const counter = new ByteCounterStream<unknown>();
    const writer = this.#writer = counter.writable.getWriter();
    /** Chunks on their way through the platform. */
    let underWay = 0;
    /** What texts count, of which the counter knows nothing. */
    let texts = 0;
    const piped = {
      consumes: false,
      get pending(): boolean {
        return underWay > 0 || sink.pending === true;
      },
      write: (chunk: unknown, size: number) => {
        underWay++;
        texts += size - byteLengthOf(chunk);
        // The write that failed has told.
        return writer.write(chunk).then(() => WRITTEN, () => new Promise<never>(ignore));
      },
      accept: () => WRITTEN,
    };
    const writable = new WritableStream({
      write: async (chunk) => {
        const { bytes, chunks } = counter;
        if (goOn()) Object.assign(meter.counts, { bytes: bytes + texts, chunks });
        try {
          await writeWhole(sink, chunk, goOn);
          meter.touch();
        } catch (error) {
          if (goOn()) this.writeFailed(error);
          throw error;
        } finally {
          underWay--;
          this.onStill?.();
        }
      },
    });
    counter.readable.pipeTo(writable).catch(ignore);
    return piped;
  }
}
