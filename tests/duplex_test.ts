import { type Conn, duplex, join, type Pair } from "@webstreams/join";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { test } from "./harness.ts";
import { rejection } from "./support/async.ts";
import { bytes, text } from "./support/bytes.ts";
import { FakeEnd } from "./support/fake_end.ts";
import { untyped } from "./support/untyped.ts";

const cause = new Error("the first error");

/** A Go-style half with the given methods, which are recorded. */
function half(calls: unknown[][], name: string, methods: readonly string[]) {
  const received: Uint8Array[] = [];
  const recorded: { close?(): void; closeWrite?(): void; abort?(reason: unknown): void } = {};
  for (const method of methods) {
    Object.assign(recorded, {
      [method]: (...args: unknown[]) => void calls.push([`${name} ${method}`, ...args]),
    });
  }
  const left = ["sent"];
  return {
    ...recorded,
    received,
    read(p: Uint8Array<ArrayBuffer>): number | null {
      const chunk = left.shift();
      return chunk === undefined ? null : new TextEncoder().encodeInto(chunk, p).written;
    },
    write(p: Uint8Array<ArrayBuffer>): number {
      received.push(p.slice());
      return p.length;
    },
  };
}

test("two streams make a pair, and stay themselves", () => {
  const [readable, writable] = [new ReadableStream(), new WritableStream()];
  const end = duplex(readable, writable);
  assertStrictEquals(end.readable, readable);
  assertStrictEquals(end.writable, writable);
  assertEquals([readable.locked, writable.locked], [false, false]);
  assert(!end.consumesOnWrite);
});

test("of two streams closing the writable is the half-close", async () => {
  const there = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const back = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const other = new FakeEnd("conn");
  const joined = join(duplex(back.readable, there.writable), other.end);
  other.finish("question");
  assertEquals(await new Response(there.readable).text(), "question");
  const writer = back.writable.getWriter();
  await writer.write(bytes("answer"));
  await writer.close();
  assertEquals((await joined).aToB.bytes, 6);
  assertEquals(other.text, "answer");
});

test("close is called once, however many ask, and all get what it gave", async () => {
  const reasons: unknown[] = [];
  const closed = Promise.resolve("closed");
  const close = (reason?: unknown) => {
    reasons.push(reason);
    return closed;
  };
  const pair = duplex(new ReadableStream(), new WritableStream(), { close });
  assertStrictEquals(pair.close?.(cause), closed);
  assertStrictEquals(pair.close?.("another"), closed);
  assertEquals(reasons, [cause]);

  const calls: unknown[][] = [];
  const conn = duplex(half(calls, "r", ["close"]), half(calls, "w", ["close"]), { close });
  assertStrictEquals(conn.abort?.("torn"), closed);
  assertStrictEquals(conn.close(), closed);
  await closed;
  assertEquals([reasons, calls], [[cause, "torn"], []]);
});

test("a close that throws is called once, too, and all get what it threw", () => {
  let calls = 0;
  const end = duplex(new ReadableStream(), new WritableStream(), {
    close() {
      calls++;
      throw cause;
    },
  });
  for (let call = 0; call < 2; call++) {
    assertStrictEquals(assertThrows(() => end.close!()), cause);
  }
  assertEquals(calls, 1);
});

test("two Go-style halves make a Go-style end", async () => {
  const calls: unknown[][] = [];
  const [reader, writer] = [half(calls, "r", ["close"]), half(calls, "w", ["close"])];
  const end = duplex(reader, writer);
  assert(!("readable" in end));
  const p = new Uint8Array(8);
  assertEquals(await end.read(p), 4);
  assertEquals(text(p.subarray(0, 4)), "sent");
  assertEquals(await end.read(p), null);
  assertEquals(await end.write(bytes("there")), 5);
  assertEquals(text(...writer.received), "there");
});

test("... whose half-close closes the writing half, once", async () => {
  const calls: unknown[][] = [];
  const end = duplex(half(calls, "r", ["close"]), half(calls, "w", ["close"]));
  await end.closeWrite?.();
  assertEquals(calls, [["w close"]]);
  await end.close();
  await end.close();
  assertEquals(calls, [["w close"], ["r close"]]);
});

test("... or closes its writing, if it can", async () => {
  const calls: unknown[][] = [];
  const end = duplex(half(calls, "r", ["close"]), half(calls, "w", ["closeWrite", "close"]));
  await end.closeWrite?.();
  assertEquals(calls, [["w closeWrite"]]);
  await end.close();
  assertEquals(calls, [["w closeWrite"], ["r close"], ["w close"]]);
});

test("... and whose abort reaches both", async () => {
  const calls: unknown[][] = [];
  await duplex(half(calls, "r", ["close"]), half(calls, "w", ["abort", "close"])).abort?.(cause);
  assertEquals(calls, [["r close"], ["w abort", cause]]);
  calls.length = 0;
  await duplex(half(calls, "r", ["close"]), half(calls, "w", ["close"])).abort?.(cause);
  assertEquals(calls, [["r close"], ["w close"]]);
});

test("... halves that cannot be closed are left", async () => {
  const calls: unknown[][] = [];
  const end = duplex(half(calls, "r", []), half(calls, "w", []));
  await end.closeWrite?.();
  await end.abort?.(cause);
  await end.close();
  assertEquals(calls, []);
});

test("one half that cannot be closed does not keep the other open", async () => {
  const calls: unknown[][] = [];
  const reader = {
    ...half(calls, "r", []),
    close() {
      throw cause;
    },
  };
  const end = duplex(reader, half(calls, "w", ["close"]));
  assertStrictEquals(await rejection(Promise.resolve(end.close())), cause);
  assertEquals(calls, [["w close"]]);
});

test("methods keep their `this`", async () => {
  class Half {
    #open = true;
    read(): number | null {
      return this.#open ? null : 0;
    }
    write(p: Uint8Array): number {
      return this.#open ? p.length : 0;
    }
    close(): void {
      this.#open = false;
    }
  }
  const [reader, writer] = [new Half(), new Half()];
  const end = duplex(reader, writer);
  assertEquals([await end.read(bytes("x")), await end.write(bytes("x"))], [null, 1]);
  await end.close();
  assertEquals([reader.read(), writer.write(bytes("x"))], [0, 0]);
});

/** Whatever the halves are, the end can be joined. */
const HALVES: readonly [string, (calls: unknown[][]) => Conn | Pair][] = [
  ["Go, Go", (calls) => duplex(half(calls, "r", ["close"]), half(calls, "w", ["close"]))],
  [
    "Go, stream",
    (calls) =>
      duplex<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(
        half(calls, "r", ["close"]),
        new WritableStream({
          write: (chunk) => void calls.push(["write", text(chunk)]),
          close: () => void calls.push(["w close"]),
        }),
      ),
  ],
  [
    "stream, Go",
    (calls) =>
      duplex<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(
        new ReadableStream({
          start(controller) {
            controller.enqueue(bytes("sent"));
            controller.close();
          },
        }),
        half(calls, "w", ["close"]),
      ),
  ],
];

for (const [name, make] of HALVES) {
  for (const via of ["auto", "pipeTo"] as const) {
    test(`a duplex of ${name} in a join (${via})`, async () => {
      const calls: unknown[][] = [];
      const other = new FakeEnd("conn");
      const joined = join(make(calls), other.end, { via });
      await other.called("closeWrite");
      assertEquals(other.text, "sent");
      assert(!calls.some(([call]) => call === "w close"));
      other.finish("reply");
      const { aToB, bToA } = await joined;
      assertEquals([aToB.bytes, bToA.bytes], [4, 5]);
      assertEquals(calls.filter(([call]) => call === "w close").length, 1);
      assert(calls.filter(([call]) => call === "r close").length <= 1);
    });
  }
}

test("close takes the place of closing the halves, of whichever kind they are", async () => {
  const byteStream = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (controller) => controller.close() });
  for (const mixed of ["reader", "writer", "neither"]) {
    const calls: unknown[][] = [];
    const close = () => void calls.push(["close"]);
    const [reader, writer] = [
      half(calls, "r", ["close"]),
      half(calls, "w", ["closeWrite", "close", "abort"]),
    ];
    const end = mixed === "neither"
      ? duplex(reader, writer, { close })
      : duplex<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(
        mixed === "reader" ? reader : byteStream(),
        mixed === "writer" ? writer : new WritableStream(),
        { close },
      );
    const other = new FakeEnd("conn");
    const joined = join(end, other.end);
    // The conn behind a Go-style half may be the other half's as well: reading to its end leaves it open.
    await other.called("closeWrite");
    assertEquals(calls, []);
    other.finish();
    await joined;
    const expected = mixed === "reader" ? ["close"] : ["w closeWrite", "close"];
    assertEquals(calls.map(([name]) => name), expected, mixed);
  }
});

test("a Go-style half behind a stream: its errors, and what it is told", async () => {
  const calls: unknown[][] = [];
  const failing = { ...half(calls, "r", ["close"]), read: () => Promise.reject(cause) };
  const end = duplex(failing, new WritableStream()) as Pair;
  assertStrictEquals(await rejection(end.readable.getReader().read()), cause);

  const writer = half(calls, "w", ["abort"]);
  const back = duplex(new ReadableStream(), writer) as Pair;
  assertEquals(back.consumesOnWrite, true);
  await back.writable.abort(cause);
  assertEquals(calls, [["w abort", cause]]);

  const idle = duplex(half(calls, "r", ["close"]), new WritableStream()) as Pair;
  await idle.readable.cancel(cause);
  assertEquals(calls, [["w abort", cause], ["r close"]]);
});

test("a Go-style half behind a stream: partial writes and wrong counts", async () => {
  const received: Uint8Array[] = [];
  const partial = {
    write: (p: Uint8Array) => received.push(p.slice(0, 2)) && Math.min(p.length, 2),
  };
  const { writable } = duplex(new ReadableStream(), partial) as Pair;
  const writer = writable.getWriter();
  await writer.write(bytes("abcde"));
  assertEquals(text(...received), "abcde");

  const lying = duplex(new ReadableStream(), { write: () => 0 }) as Pair;
  await assertRejects(() => lying.writable.getWriter().write(bytes("x")), RangeError, "got 0");
});

test("what is no half is named", () => {
  const make = (readable: unknown, writable: unknown) =>
    duplex(untyped<ReadableStream>(readable), untyped<WritableStream>(writable));
  for (const value of [undefined, null, 5, {}, new WritableStream()]) {
    const error = assertThrows(() => make(value, new WritableStream()), TypeError);
    assert(error.message.startsWith("Cannot make a duplex as 'readable' must be "));
  }
  for (const value of [undefined, null, "x", {}, new ReadableStream()]) {
    const error = assertThrows(() => make(new ReadableStream(), value), TypeError);
    assertInstanceOf(error, TypeError);
    assert(error.message.startsWith("Cannot make a duplex as 'writable' must be "));
  }
});

test("a close that is no function is refused", () => {
  const options = untyped<{ close(): void }>({ close: true });
  assertThrows(() => duplex(new ReadableStream(), new WritableStream(), options), TypeError);
});
