// Opens a half of an end as a source or a sink; for `pipe` and `join` alone.

import { isReadable, isWritable } from "../check/kinds.ts";
import type { Reader, Writer } from "../ends.ts";
import type { Meter } from "./meter.ts";
import { FixedMemory, PooledMemory } from "./read_memory.ts";
import { ReaderSource } from "./reader_source.ts";
import type { Sink } from "./sink.ts";
import type { Source, SourceMemory } from "./source.ts";
import { StreamSink } from "./stream_sink.ts";
import { StreamSource } from "./stream_source.ts";
import { WriterSink } from "./writer_sink.ts";

/** Locks a stream, or takes a Go-style end. */
export function openSource(
  from: ReadableStream<unknown> | Reader,
  memory: SourceMemory,
  isOfMessages = false,
): Source {
  if (isReadable(from)) return new StreamSource(from, memory, isOfMessages);
  const { pool, permitsReuse, buffer } = memory;
  const readMemory = buffer
    ? new FixedMemory(buffer, permitsReuse)
    : new PooledMemory(pool, permitsReuse);
  return new ReaderSource(from, readMemory);
}

/** Locks a stream, or takes a Go-style end, whose memory may always be reused. */
export function openSink(
  to: WritableStream<unknown> | Writer,
  meter: Meter,
  permitsReuse = false,
): Sink {
  return isWritable(to) ? new StreamSink(to, meter, permitsReuse) : new WriterSink(to, meter);
}
