// Makes a stream of a Go-style half, or of a sink; for `duplex()` and for adapters.

import type { Reader, Writer } from "../ends.ts";
import { Meter } from "./meter.ts";
import { FixedMemory } from "./read_memory.ts";
import { ReaderSource } from "./reader_source.ts";
import { type Sink, writeWhole } from "./sink.ts";
import { EOF, NOTHING } from "./source.ts";
import { tellTaken } from "./taken.ts";
import { WriterSink } from "./writer_sink.ts";

const READ_SIZE = 64 * 1024;

/** A Go-style source as a stream. The source is closed when the stream is cancelled, and left open at its end. */
export function readableFrom(reader: Reader): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = new ReaderSource(reader, new FixedMemory(new Uint8Array(READ_SIZE), false));
  return new ReadableStream({
    async pull(controller) {
      let chunk;
      do chunk = source.take(await source.pull()); while (chunk === NOTHING);
      if (chunk === EOF) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: () => source.cancel(),
  }, { highWaterMark: 0 });
}

/** A Go-style sink as a stream. Closing the stream ends the writing. */
export function writableFrom(writer: Writer): WritableStream<unknown> {
  return writableOver((meter) => new WriterSink(writer, meter));
}

/** A sink that also tells how many bytes of an unsettled, or failed, write may reach its peer. */
export interface TellingSink extends Sink {
  readonly takenUnsettled: number;
}

/** A sink as a stream. Closing the stream ends the writing. */
export function writableOver(
  openSink: (meter: Meter) => TellingSink,
  // WebKit takes no `undefined` for it.
  start: (controller: WritableStreamDefaultController) => void = () => {},
): WritableStream<unknown> {
  const meter = new Meter();
  const sink = openSink(meter);
  const writable = new WritableStream<unknown>({
    start,
    write: (chunk) => writeWhole(sink, chunk),
    close: () => sink.end(),
    abort: (reason) => sink.abort(reason),
  });
  tellTaken(writable, () => meter.counts.bytes + sink.takenUnsettled);
  return writable;
}
