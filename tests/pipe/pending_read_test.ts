/** What a read that cannot be taken back brings is for whoever reads next: nothing of it is lost. */
import { duplex, join, LimitError, memoryPair, pipe, type Reader, unread } from "@webstreams/join";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { test } from "../harness.ts";
import { deferred, never, rejection, turns } from "../support/async.ts";
import { bytes, lengthOf, text } from "../support/bytes.ts";
import { WITH_BYTE_STREAMS as on } from "../support/environment.ts";
import { RecordingPool } from "../support/recording_pool.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const REASON = new Error("reason");

/** A Go-style end as a socket: what is sent before it is read waits, a read before that does. */
class Line {
  readonly views: Bytes[] = [];
  #sent: (string | null | Error)[] = [];
  #waiting?: () => void;

  send(...parts: (string | null | Error)[]): void {
    this.#sent.push(...parts);
    this.#waiting?.();
    this.#waiting = undefined;
  }

  async read(p: Bytes): Promise<number | null> {
    this.views.push(p);
    while (this.#sent.length === 0) await new Promise<void>((resolve) => this.#waiting = resolve);
    const part = this.#sent.shift();
    if (part instanceof Error) throw part;
    if (typeof part !== "string") return null;
    const { read, written } = new TextEncoder().encodeInto(part, p);
    if (read < part.length) this.#sent.unshift(part.slice(read));
    return written;
  }

  write(p: Bytes): number {
    return p.length;
  }

  close(): void {
    throw new Error("It is to be left open");
  }
}

function collector(): { received: Bytes[]; write(p: Bytes): number } {
  const received: Bytes[] = [];
  return {
    received,
    write(p) {
      received.push(p.slice());
      return p.length;
    },
  };
}

/** Everything that is left, by one more `pipe`. */
async function rest(from: Reader): Promise<string> {
  const to = collector();
  await pipe(from, to);
  return text(...to.received);
}

/** Pipes until it waits for a read, and aborts. */
async function abandon(from: Reader, options: { buffer?: Bytes; pool?: RecordingPool } = {}) {
  const controller = new AbortController();
  const { signal } = controller;
  const to = collector();
  const done = rejection(pipe(from, to, { ...options, preventCancel: true, signal }));
  await turns();
  controller.abort(REASON);
  assertStrictEquals(await done, REASON);
  return text(...to.received);
}

test("a read under way at an abort: the next pipe gets what it brings", async () => {
  const line = new Line();
  line.send("one ");
  assertEquals(await abandon(line), "one ");
  line.send("two ", "three", null);
  assertEquals(await rest(line), "two three");
});

test("... before it has come, too", async () => {
  const line = new Line();
  await abandon(line);
  const next = rest(line);
  await turns();
  line.send("one", null);
  assertEquals(await next, "one");
});

test("... by whatever buffers, given up again and again", async () => {
  const line = new Line();
  await abandon(line, { buffer: new Uint8Array(16) });
  await abandon(line, { buffer: new Uint8Array(3) });
  await abandon(line);
  line.send("0123456789", "abcdef");
  await turns();
  const first = await abandon(line, { buffer: new Uint8Array(2) });
  line.send("ghi", null);
  assertEquals(first + await rest(line), "0123456789abcdefghi");
});

test("... whatever the caller's buffer is used for once the read has settled", async () => {
  const line = new Line();
  const buffer = new Uint8Array(8);
  await abandon(line, { buffer });
  line.send("kept", null);
  await turns();
  buffer.fill(0);
  assertEquals(await rest(line), "kept");
});

test("... and its buffer is not used meanwhile, nor after that", async () => {
  const line = new Line();
  const pool = new RecordingPool();
  await abandon(line, { pool });
  assertEquals([pool.lent, pool.released], [0, []]);
  line.send("one", null);
  await turns();
  assertEquals(pool.released, []);
  const to = collector();
  await pipe(line, to, { pool });
  assertEquals([text(...to.received), pool.lent], ["one", 0]);
  assert(!pool.released.some((buffer) => buffer.buffer === line.views[0].buffer));
});

test("... also the end of file, an error, no bytes at all", async () => {
  const line = new Line();
  await abandon(line);
  line.send(null);
  await turns();
  assertEquals(await rest(line), "");

  const failing = new Line();
  await abandon(failing);
  failing.send(REASON);
  await turns();
  const options = { preventCancel: true };
  assertStrictEquals(await rejection(pipe(failing, collector(), options)), REASON);

  const idle = new Line();
  await abandon(idle);
  idle.send("", "one", null);
  assertEquals(await rest(idle), "one");
});

test("... and a wrong count", async () => {
  let answer!: (count: number) => void;
  const from = { read: () => new Promise<number>((resolve) => answer = resolve) };
  await abandon(from);
  answer(-1);
  await assertRejects(() => pipe(from, collector()), RangeError, "Cannot read as 'count'");
});

test("... for a stream that fails to be written to, as well", async () => {
  const line = new Line();
  let output!: WritableStreamDefaultController;
  const to = new WritableStream({ start: (controller) => void (output = controller) });
  const done = rejection(pipe(line, to, { preventCancel: true }));
  await turns();
  output.error(REASON);
  assertStrictEquals(await done, REASON);
  line.send("one", null);
  assertEquals(await rest(line), "one");
});

test("the next join gets it", async () => {
  const line = new Line();
  await abandon(line);
  line.send("one ", "two", null);
  const [near, far] = memoryPair();
  const joined = join(line, near, { preventClose: { a: true }, halfCloseTimeout: 50 });
  assertEquals(await new Response(far.readable).text(), "one two");
  assertEquals((await joined).ended, "timeout");
});

test("unread gives it after the head, a duplex before all", async () => {
  const line = new Line();
  await abandon(line);
  line.send("one", null);
  assertEquals(await rest(unread(line, bytes("zero "))), "zero one");

  const half = new Line();
  await abandon(half);
  half.send("one ", "two", null);
  assertEquals(await rest(duplex(half, half)), "one two");
});

test("a read under way as a join times out, preventClose: the next pipe gets it", async () => {
  const line = new Line();
  const [near, far] = memoryPair();
  const joined = join(line, near, { preventClose: { a: true }, halfCloseTimeout: 50 });
  await far.writable.close();
  assertEquals((await joined).ended, "timeout");
  line.send("one", null);
  assertEquals(await rest(line), "one");
});

test("a stream whose pending read is taken back stays locked until the pipe has settled", async () => {
  const source = new ReadableStream();
  const aborted = deferred();
  const to = new WritableStream({ abort: () => aborted.promise });
  const controller = new AbortController();
  const done = rejection(pipe(source, to, { preventCancel: true, signal: controller.signal }));
  await turns();
  controller.abort(REASON);
  await turns();
  assert(source.locked);
  aborted.resolve();
  assertStrictEquals(await done, REASON);
  assert(!source.locked);
});

test("limit: a Go-style source is read one byte past it, and that is left as well", async () => {
  for (const limit of [1, 5, 511, 512, 513, 1300]) {
    const line = new Line();
    const all = "0123456789".repeat(200);
    line.send(all, null);
    const to = collector();
    const options = { limit, preventCancel: true };
    const error = await rejection(pipe(line, to, options));
    assertInstanceOf(error, LimitError);
    assertEquals(text(...to.received), all.slice(0, limit));
    const read = line.views.reduce((sum, view) => sum + view.length, 0);
    assertEquals(read, limit + 1);
    assertEquals(await rest(line), all.slice(limit));
  }
});

test("limit: a join reads no more than one byte past it, either", async () => {
  const line = Object.assign(new Line(), { close: () => {} });
  line.send("0123456789");
  const [near] = memoryPair();
  await rejection(join(line, near, { limit: { aToB: 4 } }));
  assertEquals(line.views.map(({ length }) => length), [5]);
});

test("limit: a byte stream is read one byte past it into lent memory", { on }, async () => {
  const asked: number[] = [];
  let at = 0;
  const source = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const view = controller.byobRequest!.view as Bytes;
      asked.push(view.length);
      for (let index = 0; index < view.length; index++) view[index] = at++;
      controller.byobRequest!.respond(view.length);
    },
  });
  const received: number[] = [];
  const to = new WritableStream<Bytes>({ write: (chunk) => void received.push(...chunk) });
  const options = { limit: 4, preventCancel: true, consumesOnWrite: true };
  assertInstanceOf(await rejection(pipe(source, to, options)), LimitError);
  assertEquals(received, [0, 1, 2, 3]);
  assertEquals(asked, [5]);
});

test("rate: what an abort finds waiting for its turn is left as well", async () => {
  const line = new Line();
  const all = "0123456789".repeat(10);
  line.send(all);
  const to = collector();
  const controller = new AbortController();
  const options = { rate: 100, preventCancel: true, signal: controller.signal };
  const done = rejection(pipe(line, to, options));
  await turns();
  controller.abort(REASON);
  assertStrictEquals(await done, REASON);
  assert(lengthOf(to.received) < all.length);
  line.send(null);
  assertEquals(text(...to.received) + await rest(line), all);
});

for (const fails of [false, true]) {
  test(
    `rate: an abort ends the wait for it, as all that was read is written${
      fails ? ", after the source has failed" : ""
    }`,
    async () => {
      const all = bytes("0123456789".repeat(10));
      const cause = new Error("cause");
      let fail!: () => void;
      const source = new ReadableStream({
        start: (controller) => {
          controller.enqueue(all);
          fail = () => controller.error(cause);
        },
      });
      const received: Bytes[] = [];
      const to = new WritableStream<Bytes>({ write: (chunk) => void received.push(chunk) });
      const controller = new AbortController();
      // All of it would take 100 s.
      const done = rejection(pipe(source, to, { rate: 1, signal: controller.signal }));
      await turns();
      if (fails) fail();
      await turns();
      controller.abort(REASON);
      assertStrictEquals(await done, fails ? cause : REASON);
      assertEquals(text(...received), text(all));
    },
  );
}

test("rate: nothing is written to a Go-style sink that is being aborted", async () => {
  const line = new Line();
  const all = "0123456789".repeat(10);
  line.send(all);
  const controller = new AbortController();
  const events: string[] = [];
  const aborted = deferred();
  const to = {
    write(bytes: Bytes) {
      events.push(text(bytes));
      return bytes.length;
    },
    abort() {
      events.push("abort");
      return aborted.promise;
    },
  };
  const options = { rate: 100, preventCancel: true, signal: controller.signal };
  const done = rejection(pipe(line, to, options));
  await turns();
  controller.abort(REASON);
  // As long as three pieces would take.
  setTimeout(aborted.resolve, 300);
  assertStrictEquals(await done, REASON);
  assertEquals(events.at(-1), "abort");
  line.send(null);
  assertEquals(events.slice(0, -1).join("") + await rest(line), all);
});

test("a sink that never takes what was read does not keep the next from reading", async () => {
  const line = new Line();
  line.send("stuck");
  const controller = new AbortController();
  const options = { preventCancel: true, signal: controller.signal };
  const done = rejection(pipe(line, { write: () => never<number>() }, options));
  await turns();
  controller.abort(REASON);
  assertStrictEquals(await done, REASON);
  line.send("one", null);
  assertEquals(await rest(line), "one");
});
