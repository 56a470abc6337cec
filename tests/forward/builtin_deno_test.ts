import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DiscardEnd, EchoEnd } from "../../src/forward/builtin.ts";
import { test } from "../harness.ts";

const HELLO = new TextEncoder().encode("hello");

/** Reads at most `length` bytes, as text; `null` at the end. */
async function read(end: EchoEnd | DiscardEnd, length: number): Promise<string | null> {
  const view = new Uint8Array(length);
  const count = await end.read(view);
  return count === null ? null : new TextDecoder().decode(view.subarray(0, count));
}

test("echo: a write gives a pending read as much as it has room for", async () => {
  const end = new EchoEnd();
  const small = read(end, 3);
  assertEquals(await end.write(HELLO), 3);
  assertEquals(await small, "hel");
  const large = read(end, 100);
  assertEquals(await end.write(HELLO), 5);
  assertEquals(await large, "hello");
});

test("echo: a pending write is settled by the read that takes its bytes", async () => {
  const end = new EchoEnd();
  const first = end.write(HELLO);
  assertEquals(await read(end, 3), "hel");
  assertEquals(await first, 3);
  const second = end.write(HELLO);
  assertEquals(await read(end, 100), "hello");
  assertEquals(await second, 5);
});

test("echo: the end of writing is the end of reading", async () => {
  const [early, late] = [new EchoEnd(), new EchoEnd()];
  const waiting = read(early, 5);
  early.closeWrite();
  late.closeWrite();
  assertEquals([await waiting, await read(late, 5)], [null, null]);
  assertThrows(() => late.write(HELLO), Deno.errors.BrokenPipe);
});

test("echo: an abort fails what is pending with its reason, a close too", async () => {
  const [reading, writing, closing] = [new EchoEnd(), new EchoEnd(), new EchoEnd()];
  const pending = [read(reading, 5), Promise.resolve(writing.write(HELLO)), read(closing, 5)];
  reading.abort(new RangeError("mine"));
  writing.abort(new RangeError("mine"));
  closing.close();
  const types = [RangeError, RangeError, Deno.errors.Interrupted];
  for (const [i, type] of types.entries()) await assertRejects(() => pending[i]!, type);
});

test("discard: writes settle at once, a read at the end", async () => {
  for (const verb of ["closeWrite", "close"] as const) {
    const end = new DiscardEnd();
    const reading = read(end, 5);
    assertEquals(end.write(HELLO), 5);
    end[verb]();
    assertEquals(await reading, null);
  }
});
