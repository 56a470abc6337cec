/**
 * Where the bytes come from and go to: in memory, at no cost of their own.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** Hands out the same chunk again and again, as one with a cache does. */
export function defaultSource(size: number, chunks: number): ReadableStream<Bytes> {
  const chunk = new Uint8Array(size);
  let left = chunks;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(chunk);
      else controller.close();
    },
  });
}

/** The same until it is `end` by `performance.now()`; `given` tells how many bytes that were. */
export function sourceUntil(
  size: number,
  end: number,
): { readable: ReadableStream<Bytes>; given: () => number } {
  const chunk = new Uint8Array(size);
  let given = 0;
  const readable = new ReadableStream<Bytes>({
    pull(controller) {
      if (performance.now() >= end) return controller.close();
      given += size;
      controller.enqueue(chunk);
    },
  });
  return { readable, given: () => given };
}

/** Fills the buffer it is given, as a file or a socket does. */
export function byteSource(size: number, chunks: number): ReadableStream<Bytes> {
  let left = size * chunks;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: size,
    pull(controller) {
      const request = controller.byobRequest!;
      if (left === 0) {
        controller.close();
        return request.respond(0);
      }
      const filled = Math.min(size, left, request.view!.byteLength);
      left -= filled;
      request.respond(filled);
    },
  });
}

/** Counts what comes, so that a contender which loses some is seen. */
export class Sink extends WritableStream<Bytes> {
  readonly #count: { bytes: number };

  constructor() {
    const count = { bytes: 0 };
    super({
      write(chunk) {
        count.bytes += chunk.byteLength;
      },
    });
    this.#count = count;
  }

  get bytes(): number {
    return this.#count.bytes;
  }
}
