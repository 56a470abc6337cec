// Turns a Go-style half into a stream; for `duplex()` and for adapters.

import type { Direct } from "./bypass.ts";
import type { Reader, Writer } from "../ends.ts";
import { CallersLoan } from "./read_memory.ts";
import { Meter } from "./meter.ts";
import { writeWhole } from "./sink.ts";
import { WriterSink } from "./writer_sink.ts";
import { tellTaken } from "./taken.ts";
import { EOF, NOTHING, ReaderSource } from "./source.ts";

const READ_SIZE = 64 * 1024;

/** A Go-style source as a stream; it is closed when the stream is cancelled, not at its end. */
export function readableFrom(reader: Reader): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = new ReaderSource(reader, new CallersLoan(new Uint8Array(READ_SIZE), false));
  return new ReadableStream({
    async pull(controller) {
      let chunk;
      do chunk = source.take(await source.pull()); while (chunk === NOTHING);
      if (chunk === EOF) controller.close();
      else controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
    },
    cancel: () => source.cancel(),
  }, { highWaterMark: 0 });
}

/** A Go-style sink as a stream; closing the stream ends the writing. */
export function writableFrom(
  writer: Writer | Direct,
  // WebKit takes no `undefined` for it.
  start: (controller: WritableStreamDefaultController) => void = () => {},
): WritableStream<unknown> {
  const meter = new Meter();
  const sink = new WriterSink(writer, meter);
  const writable = new WritableStream<unknown>({
    start,
    write: (chunk) => writeWhole(sink, chunk),
    close: () => sink.end(),
    abort: (reason) => sink.abort(reason),
  });
  tellTaken(writable, () => meter.counts.bytes + sink.part);
  return writable;
}
