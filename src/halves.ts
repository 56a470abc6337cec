import { sharedPool } from "./buffer_pool.ts";
import type { Reader, Writer } from "./ends.ts";
import { Meter } from "./meter.ts";
import { WriterSink, writeWhole } from "./sink.ts";
import { EOF, NOTHING, readerSource, type Source, streamSource } from "./source.ts";

const MEMORY = { pool: sharedPool, reused: false };

/** A Go-style source as a stream; it is closed when the stream is cancelled, not at its end. */
export function readableFrom(reader: Reader): ReadableStream<Uint8Array<ArrayBuffer>> {
  return streamOf(readerSource(reader, MEMORY));
}

/** A stream that yields `head` before what `stream` has, which it locks. */
export function readableAfter(
  head: Uint8Array<ArrayBuffer>,
  stream: ReadableStream<unknown>,
): ReadableStream<unknown> {
  return streamOf(streamSource(stream, MEMORY), head);
}

/** A Go-style sink as a stream; closing the stream ends the writing. */
export function writableFrom(writer: Writer): WritableStream<unknown> {
  const sink = new WriterSink(writer, new Meter());
  return new WritableStream({
    write: (chunk) => writeWhole(sink, chunk),
    close: () => sink.end(),
    abort: (reason) => sink.abort(reason),
  });
}

function streamOf<T>(source: Source, head?: T): ReadableStream<T> {
  let pulling = false;
  let released = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const release = () => {
    if (!released) source.release(!pulling);
    released = true;
    clearTimeout(timer);
  };
  const finish = (controller: ReadableStreamDefaultController<T>) => {
    controller.close();
    release();
  };
  return new ReadableStream<T>({
    start(controller) {
      if (!source.mayForgetReads) return;
      const closed = () => {
        if (pulling && !released) timer = setTimeout(() => finish(controller));
      };
      source.closed?.then(closed, () => {
        // The read fails as well.
      });
    },
    async pull(controller) {
      if (head !== undefined) {
        controller.enqueue(head);
        head = undefined;
        return;
      }
      let chunk: unknown;
      try {
        do {
          pulling = true;
          const result = await source.pull();
          pulling = false;
          if (released) return;
          chunk = source.take(result);
        } while (chunk === NOTHING);
      } catch (error) {
        pulling = false;
        release();
        throw error;
      }
      if (chunk === EOF) finish(controller);
      else controller.enqueue(chunk as T);
    },
    async cancel(reason) {
      const cancelled = source.cancel(reason);
      release();
      await cancelled;
    },
  }, { highWaterMark: 0 });
}
