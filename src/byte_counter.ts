// Public: `ByteCounterStream`. Also what `via: "pipeTo"` counts by.

import { byteLengthOf } from "./check/bytes.ts";
import type { Counts } from "./counts.ts";
import { refuse } from "./check/refuse.ts";

/** Options of {@linkcode ByteCounterStream}. */
export interface ByteCounterStreamOptions {
  /**
   * An object of the caller's, in which the stream keeps its counts `bytes` and `chunks`. Several streams can
   * share one object.
   */
  stats?: Partial<Counts>;
}

/**
 * A `TransformStream` that passes every chunk on unchanged and counts it: the bytes of an
 * `ArrayBuffer` or a view, 0 bytes for anything else.
 *
 * It counts what has passed through it, which may still be queued on the way to the sink;
 * {@linkcode pipe} counts what the sink has taken.
 *
 * @typeParam T The chunks that pass.
 *
 * @example Count what `pipeTo` moves
 * ```ts
 * import { ByteCounterStream } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const counter = new ByteCounterStream();
 * const body = new Blob(["hello"]).stream();
 * await body.pipeThrough(counter).pipeTo(new WritableStream());
 * assertEquals(counter.bytes, 5);
 * ```
 */
export class ByteCounterStream<T = Uint8Array<ArrayBuffer>> extends TransformStream<T, T> {
  readonly #counts: Partial<Counts>;

  /**
   * Creates a counter.
   *
   * @param options Where to count.
   */
  constructor(options?: ByteCounterStreamOptions) {
    const counts = options?.stats ?? {};
    if (typeof counts !== "object") refuse("count", "stats", "must be an object", counts);
    counts.bytes ??= 0;
    counts.chunks ??= 0;
    super({
      transform(chunk, controller) {
        counts.bytes! += byteLengthOf(chunk);
        counts.chunks! += 1;
        controller.enqueue(chunk);
      },
    });
    this.#counts = counts;
  }

  /** Bytes that have passed. */
  get bytes(): number {
    return this.#counts.bytes!;
  }

  /** Chunks that have passed. */
  get chunks(): number {
    return this.#counts.chunks!;
  }
}
