/** Chunks of platforms' own kinds. */
import { duplex, join, memoryPair, pipe, unread } from "@webstreams/join";
import { assertEquals } from "@std/assert";
import { turns } from "../support/async.ts";
import { test } from "../harness.ts";

/** Its `slice()` copies nothing, as that of Node's `Buffer`. */
class Shared extends Uint8Array<ArrayBuffer> {
  override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    return this.subarray(start, end);
  }
}

function shared(text: string): Shared {
  const bytes = new TextEncoder().encode(text);
  const chunk = new Shared(new ArrayBuffer(bytes.length));
  chunk.set(bytes);
  return chunk;
}

test("a chunk like Node's Buffer stays its writer's: memoryPair", async () => {
  const [here, there] = memoryPair({ capacity: 3 });
  const chunk = shared("hello");
  const writer = here.writable.getWriter();
  const written = writer.write(chunk).then(() => writer.close());
  assertEquals(await new Response(there.readable).text(), "hello");
  await written;
  assertEquals(new TextDecoder().decode(chunk), "hello");
});

test("... unread", async () => {
  const [here, there] = memoryPair();
  const head = shared("head ");
  const whole = unread(there, head);
  head.fill(0);
  await pipe(new Blob(["body"]).stream(), here.writable);
  assertEquals(await new Response(whole.readable).text(), "head body");
});

test("... and a piece of it that a rate or a limit makes is a copy", async () => {
  const chunk = shared("hello world");
  const kept: Uint8Array[] = [];
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(chunk);
      controller.close();
    },
  });
  const sink = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: (piece) => void kept.push(piece),
  });
  await pipe(source, sink, { rate: 50 });
  chunk.fill(0);
  assertEquals(kept.slice(0, -1).map((piece) => new TextDecoder().decode(piece)), [
    "hello",
    " worl",
  ]);
});

test("... and what is read into one that is the caller's buffer is a copy, for a sink that keeps it", async () => {
  const kept: Uint8Array[] = [];
  const sink = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: (piece) => void kept.push(piece),
  });
  const left = ["one", "two"];
  const source = {
    read(p: Uint8Array<ArrayBuffer>): number | null {
      const next = left.shift();
      return next === undefined ? null : new TextEncoder().encodeInto(next, p).written;
    },
  };
  await pipe(source, sink, { buffer: shared("12345678") });
  assertEquals(kept.map((piece) => new TextDecoder().decode(piece)), ["one", "two"]);
});

test("what looks like an ArrayBuffer and is none counts nothing", async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const tagged = { [Symbol.toStringTag]: "ArrayBuffer", byteLength: 5 };
  const chunks = [tagged, Object.create(ArrayBuffer.prototype), proxy, { byteLength: 5 }];
  const source = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  assertEquals(await pipe(source, new WritableStream()), { bytes: 0, chunks: 4 });
});

test("a stream that always has room is written to one chunk at a time", async () => {
  // As those of workerd are, which count nothing.
  let writes = 0;
  const release: (() => void)[] = [];
  const stalled = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: () => new Promise((resolve) => void release.push(resolve)),
  }, { highWaterMark: 1, size: () => 0 });
  let reads = 0;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(new Uint8Array(++reads)),
  }, { highWaterMark: 0 });
  const silent = duplex(endless, new WritableStream());
  const controller = new AbortController();
  const [, other] = memoryPair();
  const joined = join(silent, { readable: other.readable, writable: stalled }, {
    signal: controller.signal,
  });
  for (; writes < 3; writes++) {
    await turns();
    assertEquals(reads, writes + 1);
    release.shift()?.();
  }
  controller.abort("enough");
  assertEquals(await joined.catch((error) => error), "enough");
  for (const write of release) write();
});
