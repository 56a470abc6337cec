/**
 * What can move bytes from a stream to a stream, each as a user would have written it.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** The library: the working tree's, or a release's. */
export type Library = Pick<typeof import("../../mod.ts"), "pipe" | "ByteCounterStream">;

/** Moves everything. */
export type Contender = (
  source: ReadableStream<Bytes>,
  sink: WritableStream<Bytes>,
  size: number,
) => Promise<unknown>;

/** Those that the library is part of. */
export function ofLibrary({ pipe, ByteCounterStream }: Library): Record<string, Contender> {
  return {
    "pipe": (source, sink) => pipe(source, sink),
    "pipe, consumesOnWrite": (source, sink) => pipe(source, sink, { consumesOnWrite: true }),
    "pipeTo, counted": (source, sink) => source.pipeThrough(new ByteCounterStream()).pipeTo(sink),
  };
}

/** Those that are there without it. */
export const withoutLibrary: Record<string, Contender> = {
  "pipeTo": (source, sink) => source.pipeTo(sink),
  "loop": (source, sink, size) =>
    isByteStream(source) ? byob(source, sink, size) : loop(source, sink),
};

/** No shutdown, no signal, no count: the floor of what code outside an engine can do. */
async function loop(source: ReadableStream<Bytes>, sink: WritableStream<Bytes>): Promise<void> {
  const reader = source.getReader();
  const writer = sink.getWriter();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    await writer.ready;
    await writer.write(value);
  }
  await writer.close();
}

/** The same with one buffer, which the write must be done with before the next read. */
async function byob(
  source: ReadableStream<Bytes>,
  sink: WritableStream<Bytes>,
  size: number,
): Promise<void> {
  const reader = source.getReader({ mode: "byob" });
  const writer = sink.getWriter();
  let buffer = new ArrayBuffer(size);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) break;
    await writer.ready;
    await writer.write(value);
    buffer = value.buffer;
  }
  await writer.close();
}

function isByteStream(source: ReadableStream<Bytes>): boolean {
  try {
    source.getReader({ mode: "byob" }).releaseLock();
    return true;
  } catch {
    return false;
  }
}
