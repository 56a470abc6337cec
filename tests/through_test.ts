import { join, memoryPair, through } from "@webstreams/join";
import {
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { test } from "./harness.ts";
import { never, rejection, turns } from "./support/async.ts";
import { bytes, concat, text } from "./support/bytes.ts";
import { pattern } from "./support/parcels.ts";
import { failsBy } from "./support/errors.ts";
import { FakeEnd, KINDS } from "./support/fake_end.ts";
import { untyped } from "./support/untyped.ts";

const cause = new Error("the first error");
type Bytes = Uint8Array<ArrayBuffer>;

/** Adds `by` to every byte. */
function shift(by: number): TransformStream<Bytes, Bytes> {
  return new TransformStream({
    transform: (chunk, controller) => controller.enqueue(chunk.map((byte) => byte + by)),
  });
}

for (const kind of KINDS) {
  test(`what passes is transformed, both ways, with half-close (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
    const joined = join(a.end, through(b.end, shift(1), shift(-1)));
    a.finish("HAL");
    await b.called("closeWrite");
    assertEquals(b.text, "IBM");
    assertFalse(b.ended.includes("close"));
    b.finish("IBM");
    const { aToB, bToA, ended } = await joined;
    assertEquals([aToB.bytes, bToA.bytes, ended], [3, 3, "eof"]);
    assertEquals(a.text, "HAL");
    assertEquals([a.ended, b.ended], [["closeWrite", "close"], ["closeWrite", "close"]]);
  });

  test(`the end is locked at once, and unlocked in the end (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
    const layered = through(b.end, shift(1), shift(-1));
    if ("readable" in b.end) {
      assertEquals([b.end.readable.locked, b.end.writable.locked], [true, true]);
    }
    const joined = join(a.end, layered);
    a.finish();
    b.finish();
    await joined;
    if ("readable" in b.end) {
      assertEquals([b.end.readable.locked, b.end.writable.locked], [false, false]);
    }
  });

  test(`a failure of the end shows outside, as it is (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
    const joined = join(a.end, through(b.end, shift(1), shift(-1)));
    b.failRead(cause);
    const error = await failsBy(cause, joined);
    assertEquals(error.end, "b");
    assertEquals(a.ended.at(-1), "close");
    assertEquals(b.ended.at(-1), "close");
  });

  test(`a failed write to the end does as well (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
    const joined = join(a.end, through(b.end, shift(1), shift(-1)));
    b.failWrites(cause);
    a.send("x");
    await failsBy(cause, joined);
    assertEquals(b.ended.at(-1), "close");
  });

  test(`a failure outside tears the end down, with its reason (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind, { abort: true })];
    const joined = join(a.end, through(b.end, shift(1), shift(-1)));
    a.failRead(cause);
    await failsBy(cause, joined);
    await b.called(kind === "conn" ? "abort" : "close");
    assertEquals(b.calls.at(-1)?.args, [cause]);
  });

  test(`so does an abort, though a write to the end is stuck (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind, { abort: true })];
    b.stall();
    const controller = new AbortController();
    const { signal } = controller;
    const joined = join(a.end, through(b.end, shift(1), shift(-1)), { signal });
    a.send("stuck");
    await b.until(() => b.writes === 1);
    controller.abort(cause);
    assertStrictEquals(await rejection(joined), cause);
    await b.called(kind === "conn" ? "abort" : "close");
    assertEquals(b.calls.at(-1)?.args, [cause]);
  });

  test(`a failing transform tears everything down (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
    const failing = new TransformStream<Bytes, Bytes>({
      transform() {
        throw cause;
      },
    });
    const joined = join(a.end, through(b.end, failing, shift(-1)));
    a.send("x");
    await failsBy(cause, joined);
    await b.called("close");
    await a.called("close");
  });

  test(`an end that cannot half-close makes one that cannot either (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind, { halfClose: false })];
    const layered = through(b.end, shift(1), shift(-1));
    assertEquals(layered.halfClose, false);
    const joined = join(a.end, layered);
    a.finish("a");
    await b.got("b");
    await turns();
    assertFalse(b.ended.includes("close"));
    b.finish("b");
    const { ended, bToA } = await joined;
    assertEquals([ended, bToA.bytes, a.text], ["eof", 1, "a"]);
    assertEquals(b.ended.at(-1), "close");
  });
}

test("a failure without a reason tears the end down, too", async () => {
  const [a, b] = [new FakeEnd("default"), new FakeEnd("conn")];
  const joined = join(a.end, through(b.end, shift(1), shift(-1)));
  a.failRead(undefined);
  await failsBy(undefined, joined);
  await b.called("close");
});

test("join waits for the end behind it to be closed", async () => {
  const [a, b] = [new FakeEnd("conn"), new FakeEnd("conn", { on: { close: never } })];
  let settled = false;
  const joined = join(a.end, through(b.end, shift(1), shift(-1)));
  joined.finally(() => settled = true);
  a.finish();
  b.finish();
  await b.called("close");
  await turns();
  assertEquals(settled, false);
});

test("compression: less passes, and all of it comes out", async () => {
  const [client, a] = memoryPair();
  const [b, c] = memoryPair();
  const [d, server] = memoryPair();
  const gzip = () => new CompressionStream("gzip");
  const gunzip = () => new DecompressionStream("gzip");
  const near = join(a, through(b, gzip(), gunzip()));
  const far = join(through(c, gzip(), gunzip()), d);
  const data = concat(Array.from({ length: 200 }, () => pattern(1000)));

  const received = new Response(server.readable).arrayBuffer();
  const replied = new Response(client.readable).text();
  await new Blob([data]).stream().pipeTo(client.writable);
  assertEquals(new Uint8Array(await received), data);
  await new Blob(["thanks"]).stream().pipeTo(server.writable);
  assertEquals(await replied, "thanks");
  assertEquals((await near).aToB.bytes, data.length);
  assertEquals((await far).bToA.bytes, 6);
});

test("bytes that cannot be decompressed tear the end down", async () => {
  const [a, b] = [new FakeEnd("default"), new FakeEnd("default")];
  const gzip = new CompressionStream("gzip");
  const joined = join(a.end, through(b.end, gzip, new DecompressionStream("gzip")));
  b.send("this is no gzip");
  const error = await rejection(joined);
  assertInstanceOf(error, Error);
  // Elsewhere a TypeError, on Node 20 what zlib throws.
  assertInstanceOf(error.cause, Error);
  await b.called("close");
  await a.called("close");
});

test("the layers may change the type of the chunks", async () => {
  const b = new FakeEnd("conn");
  const layered = through(b.end, new TextEncoderStream(), new TextDecoderStream());
  const writer = layered.writable.getWriter();
  await writer.write("a text");
  await b.got("a text");
  b.send(bytes("another"));
  const { value } = await layered.readable.getReader().read();
  assertEquals(value, "another");
  assertEquals(text(...b.received), "a text");
  await layered.close?.(cause);
  assertEquals(b.ended, ["close"]);
});

test("what is no end, or locked", () => {
  const layer = (end: unknown) => through(untyped<FakeEnd["end"]>(end), shift(1), shift(-1));
  for (const value of [undefined, {}, new ReadableStream()]) {
    assertThrows(() => layer(value), TypeError, "Cannot layer transforms on an end as 'end' must ");
  }
  const locked = { readable: new ReadableStream(), writable: new WritableStream() };
  locked.readable.getReader();
  assertThrows(() => layer(locked), TypeError, "locked 'readable'");
  assertFalse(locked.writable.locked);
});

test("what is no transform, or locked", async () => {
  const [good, locked] = [shift(1), shift(1)];
  locked.readable.getReader();
  for (const bad of [undefined, null, {}, new ReadableStream(), locked]) {
    const b = new FakeEnd("default");
    const transform = untyped<TransformStream<Bytes, Bytes>>(bad);
    assertThrows(() => through(b.end, transform, good), TypeError);
    if (bad !== locked) assertThrows(() => through(b.end, good, transform), TypeError);
    await turns();
    if (!("readable" in b.end)) throw new Error("not a pair");
    assertEquals([b.end.readable.locked, b.end.writable.locked, b.ended], [false, false, []]);
  }
});
