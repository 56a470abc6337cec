// Public: `memoryPair()`.

import { byteLengthOf, bytesToWrite } from "./check/bytes.ts";
import type { Pair } from "./ends.ts";
import { assertKnown, assertSize } from "./check/refuse.ts";

const DEFAULT_CAPACITY = 64 * 1024;

/** Options of {@linkcode memoryPair}. */
export interface MemoryPairOptions {
  /**
   * How many bytes may be unread in each direction before a write waits for the reader; a positive safe
   * integer.
   *
   * @default {65536}
   */
  capacity?: number;
}

/**
 * Two connected in-memory ends: what is written to one can be read from the other. Bounded, and with
 * half-close, for tests and examples; Go's `net.Pipe`, with some room.
 *
 * A write copies its bytes and fulfils once they fit. `abort()` of one end's `writable` errors the
 * other's `readable`, `cancel()` of its `readable` errors the other's `writable`, with the same reason.
 *
 * @param options How much may wait.
 * @returns The two ends.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If `capacity` is not a positive safe integer.
 *
 * @example
 * ```ts
 * import { memoryPair } from "@webstreams/join";
 * import { assertEquals } from "@std/assert";
 *
 * const [here, there] = memoryPair();
 * const writer = here.writable.getWriter();
 * await writer.write(new TextEncoder().encode("hello"));
 * await writer.close();
 * assertEquals(await new Response(there.readable).text(), "hello");
 * ```
 */
export function memoryPair(options?: MemoryPairOptions): [Pair, Pair] {
  assertKnown("make a pair", options ?? {}, ["capacity"]);
  const { capacity = DEFAULT_CAPACITY } = options ?? {};
  assertSize("make a pair", "capacity", capacity, 1);
  const there = memoryPipe(capacity);
  const back = memoryPipe(capacity);
  return [endOf(back, there), endOf(there, back)];
}

function endOf({ readable }: MemoryPipe, { writable }: MemoryPipe): Pair {
  return { readable, writable, consumesOnWrite: true };
}

type MemoryPipe = Pick<Pair, "readable" | "writable">;
type Controller =
  | ReadableByteStreamController
  | ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/** One direction: the queue of `readable` is the room that a write waits for. */
function memoryPipe(capacity: number): MemoryPipe {
  let reading!: Controller;
  let writing!: WritableStreamDefaultController;
  let failure: { reason: unknown } | undefined;
  let wake = () => {};
  const fail = (reason: unknown) => {
    failure = { reason };
    wake();
  };
  const readable = boundedReadable(capacity, {
    start: (controller) => {
      reading = controller;
    },
    pull: () => wake(),
    cancel: (reason) => {
      fail(reason);
      writing.error(reason);
    },
  });
  const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      writing = controller;
      // abort() waits for a write, and the write for a reader: only the signal gets through at once.
      controller.signal.addEventListener("abort", () => {
        reading.error(controller.signal.reason);
        fail(controller.signal.reason);
      });
    },
    async write(chunk) {
      let rest = bytesToWrite(chunk);
      while (rest.length > 0) {
        if (failure) throw failure.reason;
        const room = reading.desiredSize ?? 0;
        if (room > 0) {
          // A byte stream takes the chunk's buffer away, so it gets a copy.
          reading.enqueue(rest.slice(0, room));
          rest = rest.subarray(room);
        } else {
          await new Promise<void>((resolve) => wake = resolve);
        }
      }
    },
    close() {
      reading.close();
      // A BYOB read that waits is answered only so (ReadableByteStreamControllerClose).
      if ("byobRequest" in reading) reading.byobRequest?.respond(0);
    },
  });
  return { readable, writable };
}

interface Underlying {
  start(controller: Controller): void;
  pull(): void;
  cancel(reason: unknown): void;
}

/** A byte stream, or where a platform has none (WebKitGTK 2.50) a stream that measures its chunks. */
function boundedReadable(
  capacity: number,
  underlying: Underlying,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  try {
    return new ReadableStream({ ...underlying, type: "bytes" }, { highWaterMark: capacity });
  } catch {
    return new ReadableStream<Uint8Array<ArrayBuffer>>({ ...underlying }, {
      highWaterMark: capacity,
      size: byteLengthOf,
    });
  }
}
