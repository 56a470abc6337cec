/** Bun's files: each write replaces the whole file, so that one is no sink; its `writer()` is. */
import { duplex, join, JoinError, memoryPair, pipe, type Writer } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { test } from "./harness.ts";
import { rejection } from "./support/async.ts";
import { pattern } from "./support/bytes.ts";
import { FakeEnd } from "./support/fake_end.ts";
import { assertHint } from "./support/hints.ts";
import { untyped } from "./support/untyped.ts";

const on = ["bun"] as const;

interface BunFile {
  writer(): Writer & { end(): unknown };
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  exists(): Promise<boolean>;
  bytes(): Promise<Uint8Array>;
  delete(): Promise<void>;
}

interface Subprocess {
  readonly stdin: Writer;
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly exited: Promise<number>;
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
  await assertHint(file, "must be duplex(file.stream(), file.writer())");
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
  const { bytes, chunks: count } = await pipe(chunks(...parts), file.writer());
  assertEquals([bytes, count], [300_005, 3]);
  const stored = await file.bytes();
  assertEquals(stored.length, 300_005);
  assertEquals(stored.subarray(100_000, 300_000), parts[1]);
  await file.delete();
});

test("a child of Bun.spawn is an end by duplex()", { on }, async () => {
  const child = Bun.spawn(["cat"], { stdin: "pipe", stdout: "pipe" });
  await assertHint(child, "must be duplex(child.stdout, child.stdin)");
  const end = new FakeEnd("conn");
  const joined = join(
    end.end,
    duplex<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(child.stdout, child.stdin),
  );
  end.finish("through a child");
  const { aToB, bToA } = await joined;
  assertEquals([end.text, aToB.bytes, bToA.bytes], ["through a child", 15, 15]);
  await child.exited;
});

test("what a child of Bun.spawn has said arrives although it takes no more", { on }, async () => {
  const child = Bun.spawn(["head", "-n", "1"], { stdin: "pipe", stdout: "pipe" });
  const [near, far] = memoryPair();
  const joined = join(
    far,
    duplex<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(child.stdout, child.stdin),
  );
  const text = "the first line\n" + "and more\n".repeat(1_000_000);
  const sending = new Blob([text]).stream().pipeTo(near.writable).catch(() => {});
  assertEquals(await new Response(near.readable).text(), "the first line\n");
  const error = await rejection(joined);
  assertInstanceOf(error, JoinError);
  assertEquals([error.end, error.side, error.bToA.bytes], ["b", "write", 15]);
  await sending;
  assertEquals(await child.exited, 0);
});
