import { join, memoryPair } from "@webstreams/join";
import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { test } from "./harness.ts";
import { rejection, turns } from "./support/async.ts";
import { bytes, concat } from "./support/bytes.ts";
import { pattern } from "./support/parcels.ts";
import { WITH_BYTE_STREAMS } from "./support/environment.ts";
import { untyped } from "./support/untyped.ts";

const cause = new Error("the first error");

test("what is written to one can be read from the other, both ways", async () => {
  const [here, there] = memoryPair();
  for (const [from, to] of [[here, there], [there, here]]) {
    const writer = from.writable.getWriter();
    await writer.write(bytes("hello, "));
    await writer.write(bytes("world"));
    await writer.close();
    assertEquals(await new Response(to.readable).text(), "hello, world");
  }
});

test("each direction ends by itself", async () => {
  const [here, there] = memoryPair();
  await here.writable.close();
  assertEquals(await new Response(there.readable).text(), "");
  const writer = there.writable.getWriter();
  await writer.write(bytes("still"));
  await writer.close();
  assertEquals(await new Response(here.readable).text(), "still");
});

test("a write waits for room, and fulfils once its bytes fit", async () => {
  const [here, there] = memoryPair({ capacity: 10 });
  const writer = here.writable.getWriter();
  await writer.write(bytes("01234"));
  let written = false;
  const second = writer.write(bytes("56789abcde")).then(() => written = true);
  await turns();
  assertEquals(written, false);
  const reader = there.readable.getReader();
  const chunks: Uint8Array[] = [];
  while (!written) {
    chunks.push((await reader.read()).value!);
    await turns();
  }
  await second;
  await writer.close();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    chunks.push(value!);
  }
  assertEquals(concat(chunks), bytes("0123456789abcde"));
});

test("no more than the capacity ever waits", async () => {
  const [here, there] = memoryPair({ capacity: 30 });
  const writer = here.writable.getWriter();
  let written = 0;
  const writing = (async () => {
    for (; written < 200; written += 7) await writer.write(new Uint8Array(7));
    await writer.close();
  })();
  const reader = there.readable.getReader();
  await turns();
  for (let read = 0;;) {
    assertLessOrEqual(written - read, 30);
    const { done, value } = await reader.read();
    if (done) break;
    read += value.length;
    await turns(1);
  }
  await writing;
});

test("a write larger than the capacity passes in parts", async () => {
  const [here, there] = memoryPair({ capacity: 1000 });
  const data = pattern(100_000);
  const writer = here.writable.getWriter();
  const written = writer.write(data).then(() => writer.close());
  assertEquals(new Uint8Array(await new Response(there.readable).arrayBuffer()), data);
  await written;
});

test("a write copies: its memory may be reused once it has settled", async () => {
  const [here, there] = memoryPair();
  assertEquals([here.consumesOnWrite, there.consumesOnWrite], [true, true]);
  const writer = here.writable.getWriter();
  const memory = bytes("first");
  await writer.write(memory);
  memory.set(bytes("other"));
  await writer.write(memory);
  await writer.close();
  assertEquals(await new Response(there.readable).text(), "firstother");
});

test("an ArrayBuffer and any view can be written, nothing else", async () => {
  const [here, there] = memoryPair();
  const writer = here.writable.getWriter();
  await writer.write(untyped(bytes("one").buffer));
  await writer.write(untyped(new DataView(bytes("xtwo").buffer, 1)));
  await writer.close();
  assertEquals(await new Response(there.readable).text(), "onetwo");
  const other = there.writable.getWriter();
  await assertRejects(() => other.write(untyped("three")), TypeError, `got "three"`);
});

test("aborting one's writable fails the other's readable", async () => {
  const [here, there] = memoryPair();
  const reading = there.readable.getReader().read();
  await here.writable.abort(cause);
  assertStrictEquals(await rejection(reading), cause);
});

test("... even while a write waits for room", async () => {
  const [here, there] = memoryPair({ capacity: 1 });
  const writer = here.writable.getWriter();
  const writing = rejection(writer.write(bytes("too much")));
  await turns();
  await writer.abort(cause);
  assertStrictEquals(await writing, cause);
  assertStrictEquals(await rejection(there.readable.getReader().read()), cause);
});

test("cancelling one's readable fails the other's writable", async () => {
  const [here, there] = memoryPair({ capacity: 1 });
  const writer = here.writable.getWriter();
  const writing = rejection(writer.write(bytes("too much")));
  await turns();
  await there.readable.cancel(cause);
  assertStrictEquals(await writing, cause);
  assertStrictEquals(await rejection(writer.write(bytes("x"))), cause);
});

test("the other direction outlives both", async () => {
  const [here, there] = memoryPair();
  await here.writable.abort(cause);
  const writer = there.writable.getWriter();
  await writer.write(bytes("still"));
  await writer.close();
  assertEquals(await new Response(here.readable).text(), "still");
});

test("it can be read into one's own buffer", { on: WITH_BYTE_STREAMS }, async () => {
  const [here, there] = memoryPair();
  const reader = there.readable.getReader({ mode: "byob" });
  const reading = reader.read(new Uint8Array(3));
  const writer = here.writable.getWriter();
  await writer.write(bytes("hello"));
  assertEquals((await reading).value, bytes("hel"));
  assertEquals((await reader.read(new Uint8Array(8))).value, bytes("lo"));
  const last = reader.read(new Uint8Array(8));
  await writer.close();
  const { done, value } = await last;
  assertEquals([done, value?.byteLength], [true, 0]);
});

test("nothing written is no chunk", async () => {
  const [here, there] = memoryPair();
  const writer = here.writable.getWriter();
  await writer.write(new Uint8Array());
  await writer.close();
  assertEquals((await there.readable.getReader().read()).done, true);
});

test("many in a row carry everything, whatever their capacity", async () => {
  const data = pattern(300_000);
  const [first, ...rest] = [1, 1000, 65_536, 7].map((capacity) => memoryPair({ capacity }));
  const joins: Promise<unknown>[] = [];
  let last = first;
  // The smallest would take its time: a byte at a time.
  for (const next of rest) {
    joins.push(join(last[1], next[0]));
    last = next;
  }
  const small = data.subarray(0, 5000);
  const received = new Response(last[1].readable).arrayBuffer();
  const writer = first[0].writable.getWriter();
  await writer.write(small);
  await writer.close();
  assertEquals(new Uint8Array(await received), small);
  await last[1].writable.close();
  await Promise.all(joins);
});

test("a capacity that is none", () => {
  for (const capacity of [0, -1, 1.5, NaN, Infinity, "5", null]) {
    assertThrows(
      () => memoryPair(untyped({ capacity })),
      RangeError,
      "Cannot make a pair as 'capacity' must be an integer of 1 to ",
    );
  }
  assert(memoryPair({ capacity: undefined }));
});
