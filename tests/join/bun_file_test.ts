/**
 * What Bun writes to: a file, of which each write replaces the whole, so that it is no sink; its `writer()`
 * and a child's `stdin`, which are by an adapter.
 */
import { duplex, join, JoinError, memoryPair, pipe, type Writer } from "@webstreams/join";
import { type BunSink, fromBunSink } from "@webstreams/join/bun";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { test } from "../harness.ts";
import { delay, rejection } from "../support/async.ts";
import { bytes, text } from "../support/bytes.ts";
import { pattern } from "../support/parcels.ts";
import { assertHalfHint, assertHint } from "../support/hints.ts";
import { untyped } from "../support/untyped.ts";

const on = ["bun"] as const;
const MIB = 1024 * 1024;

interface BunFile {
  writer(): BunSink;
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  exists(): Promise<boolean>;
  bytes(): Promise<Uint8Array>;
  delete(): Promise<void>;
}

interface Subprocess {
  readonly stdin: BunSink;
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly exited: Promise<number>;
  readonly signalCode: string | null;
  kill(): void;
}

interface Bun {
  file(path: string): BunFile;
  spawn(command: readonly string[], options: Record<"stdin" | "stdout", "pipe">): Subprocess;
}

const { Bun } = globalThis as typeof globalThis & { Bun: Bun };

/** A file that is not there yet. */
async function freshFile(): Promise<BunFile> {
  const [{ tmpdir }, { join }] = [await import("node:os"), await import("node:path")];
  return Bun.file(join(tmpdir(), `join-${crypto.randomUUID()}`));
}

function chunks(...parts: readonly Uint8Array<ArrayBuffer>[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

test("a Bun file is refused as a sink, and its writer() named", { on }, async () => {
  const file = await freshFile();
  const source = chunks(pattern(10));
  const error = await rejection(pipe(source, untyped<Writer>(file)));
  assertInstanceOf(error, TypeError);
  assertStringIncludes(
    error.message,
    "Cannot pipe as 'sink' must be opened, as by Bun.file(path).writer()",
  );
  assertEquals([source.locked, await file.exists()], [false, false]);
  assertThrows(
    () => duplex(new ReadableStream(), untyped<Writer>(file)),
    TypeError,
    "Bun.file(path).writer()",
  );
  await assertHint(file, "must be duplex(file.stream(), fromBunSink(file.writer()))");
});

test("... and as a source, and its stream() named", { on }, async () => {
  const error = await rejection(
    pipe(untyped<ReadableStream>(await freshFile()), new WritableStream()),
  );
  assertInstanceOf(error, TypeError);
  assertStringIncludes(error.message, "its stream()");
});

test("the writer() of a Bun file gets all there is", { on }, async () => {
  const file = await freshFile();
  const parts = [pattern(100_000, 1), pattern(200_000, 2), pattern(5, 3)];
  const { bytes, chunks: count } = await pipe(chunks(...parts), fromBunSink(file.writer()));
  assertEquals([bytes, count], [300_005, 3]);
  const stored = await file.bytes();
  assertEquals(stored.length, 300_005);
  assertEquals(stored.subarray(100_000, 300_000), parts[1]);
  await file.delete();
});

test("a FileSink is refused, and its adapter named", { on }, async () => {
  const child = Bun.spawn(["cat"], { stdin: "pipe", stdout: "pipe" });
  const file = await freshFile();
  for (const sink of [child.stdin, file.writer()]) {
    await assertHalfHint(sink, "write", "must be wrapped with fromBunSink()");
    await sink.end();
  }
  await assertHint(child, "with fromBunSink(child.stdin)");
  assertThrows(() => fromBunSink(untyped<BunSink>({})), TypeError, "must be a FileSink");
  await child.exited;
  await file.delete();
});

/** Of `Bun.spawn`, killed by a failure. */
function endOf(child: Subprocess) {
  return duplex(child.stdout, fromBunSink(child.stdin), {
    close: (reason) => void (reason && child.kill()),
  });
}

test("a child of Bun.spawn gets all there is, and gives it back", { on }, async () => {
  const child = Bun.spawn(["cat"], { stdin: "pipe", stdout: "pipe" });
  const [user, end] = memoryPair();
  const joined = join(end, endOf(child));
  const body = pattern(8 * MIB + 1, 1);
  const written = pipe(new Blob([body]).stream(), user.writable);
  assertEquals(new Uint8Array(await new Response(user.readable).arrayBuffer()), body);
  await written;
  const { aToB, bToA } = await joined;
  assertEquals([aToB.bytes, bToA.bytes], [body.length, body.length]);
  assertEquals(await child.exited, 0);
});

test("a child of Bun.spawn answers before its input has ended", { on }, async () => {
  const child = Bun.spawn(["cat"], { stdin: "pipe", stdout: "pipe" });
  const [user, end] = memoryPair();
  const joined = join(end, endOf(child));
  const [writer, reader] = [user.writable.getWriter(), user.readable.getReader()];
  for (const word of ["one", "two", "three"]) {
    await writer.write(bytes(word));
    assertEquals(text((await reader.read()).value!), word);
  }
  await writer.close();
  assertEquals((await reader.read()).done, true);
  await joined;
});

test(
  "a child of Bun.spawn that takes nothing stops its source, and is killed",
  { on },
  async () => {
    const child = Bun.spawn(["sleep", "1000"], { stdin: "pipe", stdout: "pipe" });
    let pulled = 0;
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        const chunk = pattern(64 * 1024);
        pulled += chunk.length;
        controller.enqueue(chunk);
      },
    }, { highWaterMark: 0 });
    const [user, end] = memoryPair();
    const writing = rejection(pipe(source, user.writable));
    const leaving = new AbortController();
    const joined = join(end, endOf(child), { signal: leaving.signal });
    let before = -1;
    while (before !== pulled) {
      before = pulled;
      await delay(100);
    }
    assert(pulled < 4 * MIB, `${pulled} bytes were taken`);
    const enough = new Error("enough");
    leaving.abort(enough);
    assertEquals(await rejection(joined), enough);
    await writing;
    await child.exited;
    assertEquals(child.signalCode, "SIGTERM");
  },
);

test("a child of Bun.spawn that goes fails a write that waits", { on }, async () => {
  const child = Bun.spawn(["sleep", "1000"], { stdin: "pipe", stdout: "pipe" });
  const writer = fromBunSink(child.stdin).getWriter();
  const failed = rejection(writer.write(pattern(MIB)));
  child.kill();
  assertEquals((await failed as { code?: string }).code, "EPIPE");
});

test("... and the next one, if it had gone before", { on }, async () => {
  const child = Bun.spawn(["true"], { stdin: "pipe", stdout: "pipe" });
  await child.exited;
  const writer = fromBunSink(child.stdin).getWriter();
  // What Bun does not know yet goes into the pipe.
  let failed: unknown;
  while (!failed) failed = await writer.write(bytes("x")).then(() => delay(10), (error) => error);
  assertEquals((failed as { code?: string }).code, "EPIPE");
});

test("a disk that is full fails the pipe to it", { on }, async () => {
  const sink = fromBunSink(Bun.file("/dev/full").writer());
  const error = await rejection(pipe(chunks(pattern(MIB)), sink));
  assertEquals((error as { code?: string }).code, "ENOSPC");
});

test("what a child of Bun.spawn has said arrives although it takes no more", { on }, async () => {
  const child = Bun.spawn(["head", "-n", "1"], { stdin: "pipe", stdout: "pipe" });
  const [near, far] = memoryPair();
  const joined = join(far, duplex(child.stdout, fromBunSink(child.stdin)));
  const text = "the first line\n" + "and more\n".repeat(1_000_000);
  const sending = new Blob([text]).stream().pipeTo(near.writable).catch(() => {});
  assertEquals(await new Response(near.readable).text(), "the first line\n");
  const error = await rejection(joined);
  assertInstanceOf(error, JoinError);
  assertEquals([error.end, error.side, error.bToA.bytes], ["b", "write", 15]);
  await sending;
  assertEquals(await child.exited, 0);
});
