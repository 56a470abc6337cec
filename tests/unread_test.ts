import { type Conn, join, memoryPair, type Pair, unread } from "@webstreams/join";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { sharedPool } from "../src/buffer_pool.ts";
import { test } from "./harness.ts";
import { rejection, turns } from "./support/async.ts";
import { bytes, concat, pattern, text } from "./support/bytes.ts";
import { WITH_BYTE_STREAMS } from "./support/environment.ts";
import { failsBy } from "./support/errors.ts";
import { FakeEnd, KINDS } from "./support/fake_end.ts";
import { untyped } from "./support/untyped.ts";

const cause = new Error("the first error");

/** `unread` of whichever kind. */
function put(end: Pair | Conn, head: ArrayBufferView | ArrayBuffer): Pair | Conn {
  return "readable" in end ? unread(end, head) : unread(end, head);
}

for (const kind of KINDS) {
  for (const via of ["auto", "pipeTo"] as const) {
    test(`the bytes come first, then what the end sends (${kind}, ${via})`, async () => {
      const lent = sharedPool.lent;
      const [a, b] = [new FakeEnd(kind), new FakeEnd("conn")];
      a.finish("the rest");
      b.finish("the reply");
      const { aToB, bToA } = await join(put(a.end, bytes("first, ")), b.end, { via });
      assertEquals([b.text, a.text], ["first, the rest", "the reply"]);
      assertEquals([aToB.bytes, bToA.bytes], [15, 9]);
      assertEquals(a.ended, ["closeWrite", "close"]);
      assertEquals(sharedPool.lent, lent);
    });
  }

  test(`more bytes than a read takes (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd("conn")];
    const head = pattern(5000);
    a.finish("!");
    b.finish();
    const { aToB } = await join(put(a.end, head), b.end);
    assertEquals(aToB.bytes, 5001);
    assertEquals(concat(b.received).subarray(0, 5000), head);
  });

  test(`they stay the caller's: they are copied (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd("conn")];
    const head = bytes("before");
    const end = put(a.end, head);
    head.fill(0);
    a.finish();
    b.finish();
    await join(end, b.end);
    assertEquals(b.text, "before");
  });

  test(`no bytes change nothing (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd("conn")];
    a.finish("all");
    b.finish();
    const { aToB } = await join(put(a.end, new Uint8Array()), b.end);
    assertEquals([b.text, aToB.bytes], ["all", 3]);
  });

  test(`a view of any kind, and an ArrayBuffer (${kind})`, async () => {
    const heads = [bytes("abc").buffer, new DataView(bytes("xabcx").buffer, 1, 3)];
    for (const head of heads) {
      const [a, b] = [new FakeEnd(kind), new FakeEnd("conn")];
      a.finish("d");
      b.finish();
      await join(put(a.end, head), b.end);
      assertEquals(b.text, "abcd");
    }
  });

  test(`the end's failures are the new one's (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd("conn")];
    const joined = join(put(a.end, bytes("x")), b.end);
    a.failRead(cause);
    const error = await failsBy(cause, joined);
    assertEquals([error.end, b.text], ["a", "x"]);
    assertEquals(a.ended.at(-1), "close");
  });

  test(`an abort reaches the end, with its reason (${kind})`, async () => {
    const lent = sharedPool.lent;
    const [a, b] = [new FakeEnd(kind, { abort: true }), new FakeEnd("conn")];
    const controller = new AbortController();
    const joined = join(put(a.end, bytes("x")), b.end, { signal: controller.signal });
    await b.got("x");
    await turns();
    controller.abort(cause);
    assertStrictEquals(await rejection(joined), cause);
    if (kind === "conn") assertEquals(a.calls, [{ name: "abort", args: [cause] }]);
    else assertEquals(new Set(a.ended), new Set(["cancel", "abort", "close"]));
    for (const { args } of a.calls) assertEquals(args, [cause]);
    assertEquals(sharedPool.lent, lent);
  });

  test(`what the end can do the new one can (${kind})`, () => {
    for (const halfClose of [true, false]) {
      const { end } = new FakeEnd(kind, { halfClose, abort: true, consumesOnWrite: true });
      const whole = put(end, bytes("x"));
      if ("readable" in end && "readable" in whole) {
        assertStrictEquals(whole.writable, end.writable);
        assertEquals([whole.halfClose, whole.consumesOnWrite], [halfClose, true]);
        assertEquals([end.readable.locked, end.writable.locked], [true, false]);
      } else {
        assertEquals(["closeWrite" in whole, "abort" in whole], [halfClose, true]);
        assertEquals(whole.halfClose, halfClose ? undefined : false);
      }
    }
    const plain = put(new FakeEnd("conn").end, bytes("x"));
    assert(!("abort" in plain));
  });
}

test("a Go-style end's own methods keep their `this`", async () => {
  class Wire implements Conn {
    readonly calls: string[] = [];
    #log(what: string): void {
      this.calls.push(what);
    }
    read(): null {
      this.#log("read");
      return null;
    }
    write(p: Uint8Array): number {
      this.#log("write");
      return p.length;
    }
    closeWrite(): void {
      this.#log("closeWrite");
    }
    abort(): void {
      this.#log("abort");
    }
    close(): void {
      this.#log("close");
    }
  }
  const wire = new Wire();
  const end = unread(wire, bytes("ab"));
  const p = new Uint8Array(1);
  assertEquals([await end.read(p), text(p)], [1, "a"]);
  assertEquals([await end.read(p), text(p)], [1, "b"]);
  assertEquals(await end.read(p), null);
  await end.write(p);
  await end.closeWrite?.();
  await end.abort?.(cause);
  await end.close();
  assertEquals(wire.calls, ["read", "write", "closeWrite", "abort", "close"]);
});

test("what was read too far from one end is put back for a join", async () => {
  const [client, end] = memoryPair();
  const writer = client.writable.getWriter();
  await writer.write(bytes("CONNECT\r\n\r\nearly"));
  const reader = end.readable.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  const at = text(value!).indexOf("\r\n\r\n") + 4;

  const b = new FakeEnd("conn");
  const joined = join(unread(end, value!.subarray(at)), b.end);
  await writer.write(bytes(" and late"));
  await writer.close();
  b.finish("ok");
  assertEquals(await new Response(client.readable).text(), "ok");
  assertEquals((await joined).aToB.bytes, 14);
  assertEquals(b.text, "early and late");
});

test("a byte source that closes without respond(0)", { on: WITH_BYTE_STREAMS }, async () => {
  const readable = new ReadableStream({ type: "bytes", pull: (its) => its.close() });
  const whole = unread({ readable, writable: new WritableStream() }, bytes("head"));
  assertEquals(await new Response(whole.readable).text(), "head");
});

test("what is no end, what is locked, and what are no bytes", () => {
  const end = new FakeEnd("default").end as Pair;
  for (const value of [undefined, {}, new ReadableStream()]) {
    assertThrows(
      () => unread(untyped<Pair>(value), bytes("x")),
      TypeError,
      "Cannot unread as 'end'",
    );
  }
  for (const value of [undefined, "text", 5, [1, 2]]) {
    const call = () => unread(end, untyped<Uint8Array>(value));
    assertThrows(call, TypeError, "Cannot unread as 'bytes' must be ");
  }
  assertEquals([end.readable.locked, end.writable.locked], [false, false]);
  end.readable.getReader();
  assertThrows(() => unread(end, bytes("x")), TypeError, "locked 'readable'");
});
