/** What passes without a cast, and what must not pass: `deno check` is the test. */
import {
  BufferPool,
  ByteCounterStream,
  type Conn,
  type Counts,
  duplex,
  type End,
  type EndReason,
  join,
  type JoinError,
  type JoinOptions,
  type JoinResult,
  type JoinStats,
  memoryPair,
  type Message,
  type MessagePair,
  type Pair,
  pipe,
  type PipeResult,
  through,
  unread,
} from "@webstreams/join";
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Checked, never run. */
function unchecked(..._bodies: (() => unknown)[]): void {}

declare const bytes: Pair;
declare const texts: Pair<string, string>;
declare const messages: MessagePair;
declare const conn: Conn;
declare const bytesOrTexts: Pair<Message, Message>;
declare const transform: TransformStream<Bytes, Bytes>;
declare const byteSource: ReadableStream<Bytes>;
declare const byteSink: WritableStream<Bytes>;
declare const anySink: WritableStream;

/** As TypeScript's DOM library has it. */
interface WebTransportBidirectionalStream {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<Bytes>;
}
declare const webTransport: WebTransportBidirectionalStream;

/** A child process, as `node:child_process` behind `Readable.toWeb` and as `Deno.ChildProcess`. */
interface ChildProcess {
  readonly stdin: WritableStream<Bytes>;
  readonly stdout: ReadableStream<Bytes>;
}
declare const child: ChildProcess;

/** A class of one's own. */
class Wire implements Conn {
  read(p: Bytes): Promise<number | null> {
    return Promise.resolve(p.length);
  }
  write(p: Bytes): Promise<number> {
    return Promise.resolve(p.length);
  }
  close(): void {}
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }
}

unchecked(
  () => join(bytes, bytes),
  () => join(bytes, conn),
  () => join(conn, bytes),
  () => join(conn, conn),
  () => join(new Wire(), conn),
  () => join(texts, texts),
  () => join(webTransport, conn),
  () => join(webTransport, webTransport),
  () => join(bytes, webTransport),
  () => join(transform, transform),
  () => join(transform, conn),
  () => join(duplex(child.stdout, child.stdin), conn),
  () => join(duplex(byteSource, anySink), bytes),
  () => join(new CompressionStream("gzip"), conn),
  () => join({ readable: byteSource, writable: byteSink, halfClose: false }, conn),
  () => join(through(conn, new CompressionStream("gzip"), new DecompressionStream("gzip")), bytes),
  () =>
    through(bytes, new TextEncoderStream(), new TextDecoderStream()) satisfies Pair<string, string>,
  () => through(webTransport, transform, transform) satisfies Pair,
  () => join(unread(bytes, new Uint8Array(1)), conn),
  () =>
    join(unread(conn, new ArrayBuffer(1)), unread(webTransport, new DataView(new ArrayBuffer(1)))),
  () => join(...memoryPair()),
  () => memoryPair() satisfies [Pair, Pair],
  () => join(messages, messages),
  () => join(messages, { ...bytesOrTexts, messages: true }),
  () => join({ ...bytesOrTexts, messages: undefined }, bytes),
  () => messages.readable satisfies ReadableStream<Message>,
  () => messages.writable satisfies WritableStream<string | Bytes>,
  () => pipe(byteSource, byteSink),
  () => pipe(byteSource, conn),
  () => pipe(conn, byteSink),
  () => pipe({ read: () => null }, { write: (p) => p.length }),
  () => pipe(byteSource.pipeThrough(new ByteCounterStream()), anySink),
  () => pipe(new ReadableStream<string>(), new WritableStream<string>()),
  () => pipe(new Blob([]).stream(), byteSink),
  () => pipe(new Response("").body!, byteSink),
);

// What must not pass.
unchecked(
  // @ts-expect-error: one end
  () => join(bytes),
  // @ts-expect-error: no end
  () => join(bytes, byteSource),
  // @ts-expect-error: no end
  () => join(bytes, { readable: byteSource }),
  // @ts-expect-error: texts are sent where bytes are expected
  () => join<Bytes, Bytes>(texts, bytes),
  // @ts-expect-error: texts are sent where bytes are expected
  () => join(texts, bytes),
  // @ts-expect-error: a Go-style end must have close()
  () => join(bytes, { read: () => null, write: (p: Bytes) => p.length }),
  // @ts-expect-error: messages have bounds, bytes have none
  () => join(messages, bytes),
  // @ts-expect-error: the same
  () => join(bytes, messages),
  // @ts-expect-error: the same
  () => join(messages, conn),
  // @ts-expect-error: the same
  () => join(conn, messages),
  // @ts-expect-error: the same
  () => join(messages, webTransport),
  // @ts-expect-error: the same, of a pair that may take both
  () => join(messages, bytesOrTexts),
  // @ts-expect-error: a head is of bytes
  () => unread(messages, new Uint8Array(1)),
  // @ts-expect-error: no such way
  () => join(bytes, bytes, { via: "fastest" }),
  // @ts-expect-error: no such word
  () => join(bytes, bytes, { halfClose: true }),
  // @ts-expect-error: no such direction
  () => join(bytes, bytes, { limit: { up: 5 } }),
  // @ts-expect-error: no such end
  () => join(bytes, bytes, { preventClose: { c: true } }),
  // @ts-expect-error: a text is no number
  () => join(bytes, bytes, { idleTimeout: "5s" }),
  // @ts-expect-error: no such option
  () => join(bytes, bytes, { timeout: 5 }),
  // @ts-expect-error: texts into bytes
  () => pipe(new ReadableStream<string>(), byteSink),
  // @ts-expect-error: half of an end
  () => unread(byteSource, new Uint8Array(1)),
  // @ts-expect-error: a text is no bytes
  () => unread(bytes, "head"),
);

/** The shapes that the documentation promises. */
function shapes(result: JoinResult, error: JoinError, stats: JoinStats): void {
  result satisfies { aToB: PipeResult; bToA: PipeResult; ended: "eof" | "timeout" };
  result satisfies { reason: EndReason; first?: "a" | "b"; ms: number };
  error satisfies { reason: EndReason; first?: "a" | "b"; ms: number };
  result.aToB satisfies { bytes: number; chunks: number };
  error satisfies Error & { aToB: Counts; bToA: Counts; cause: unknown };
  error.direction satisfies "aToB" | "bToA" | undefined;
  error.side satisfies "read" | "write" | undefined;
  error.end satisfies "a" | "b" | undefined;
  error.other?.cause satisfies unknown;
  stats.aToB?.bytes satisfies number | undefined;
  const options: JoinOptions = {
    signal: AbortSignal.timeout(5),
    idleTimeout: 5,
    halfCloseTimeout: Infinity,
    maxDuration: 5,
    halfClose: "end",
    drain: AbortSignal.timeout(5),
    limit: 5,
    rate: { aToB: 5 },
    stats,
    pool: new BufferPool(),
    preventClose: { a: true },
    via: "pipeTo",
  };
  options.limit = { aToB: 1, bToA: 2 };
  options.preventClose = true;
  const end: End = conn;
  options satisfies Parameters<typeof join>[2];
  end satisfies Parameters<typeof join>[0];
}
unchecked(() => shapes);

test("what the types say is checked by the compiler", () => assertEquals(typeof join, "function"));
