import { type Conn, join, memoryPair, type Pair, pipe, unread } from "@webstreams/join";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { sharedPool } from "../src/buffer_pool.ts";
import { type Runtime, test } from "./harness.ts";
import { rejection, turns } from "./support/async.ts";
import { bytes, concat, text } from "./support/bytes.ts";
import { pattern } from "./support/parcels.ts";
import { WITH_BYTE_STREAMS } from "./support/environment.ts";
import { failsBy } from "./support/errors.ts";
import { FakeEnd, type FakeEndOptions, KINDS, PAIR_KINDS } from "./support/fake_end.ts";
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
    const [a, b] = [new FakeEnd(kind), new FakeEnd("default")];
    const whole = put(a.end, new Uint8Array());
    assertStrictEquals(whole, a.end);
    a.finish("all");
    b.finish();
    const { aToB } = await join(whole, b.end);
    assertEquals([b.received.map((chunk) => text(chunk)), aToB], [["all"], {
      bytes: 3,
      chunks: 1,
    }]);
  });

  test(`what is put back last comes first (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd("conn")];
    a.finish("d");
    b.finish();
    await join(put(put(put(a.end, bytes("c")), new Uint8Array()), bytes("ab")), b.end);
    assertEquals(b.text, "abcd");
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

const other = new Error("another");
/** The streams of workerd have room for one chunk always. */
const WITH_FULL_SINKS: readonly Runtime[] = [
  ...["deno", "bun", "node", "chromium", "firefox", "webkit"] as const,
];

for (const kind of PAIR_KINDS) {
  const unreadFake = (options?: FakeEndOptions) => {
    const a = new FakeEnd(kind, options);
    return { a, end: a.end as Pair, whole: unread(a.end as Pair, bytes("head ")) };
  };

  test(`as streams: the head, the rest, the end (${kind})`, async () => {
    const { a, end, whole } = unreadFake();
    const reader = whole.readable.getReader();
    assertEquals(text((await reader.read()).value!), "head ");
    assertEquals(a.reads, 0, "nothing is read that nobody has asked for");
    a.send("body");
    assertEquals(text((await reader.read()).value!), "body");
    const last = reader.read();
    a.finish();
    assertEquals((await last).done, true);
    await reader.closed;
    assertEquals(end.readable.locked, false);
  });

  test(`as streams: an end that is closed or fails meanwhile shows it (${kind})`, async () => {
    for (const how of ["closed", "failed"]) {
      for (const headFirst of [true, false]) {
        const { a, end, whole } = unreadFake();
        const reader = whole.readable.getReader();
        if (headFirst) await reader.read();
        if (how === "closed") a.closeReadable();
        else a.errorReadable(cause);
        await turns();
        if (!headFirst) assertEquals(text((await reader.read()).value!), "head ");
        if (how === "closed") await reader.closed;
        else assertStrictEquals(await rejection(reader.closed), cause);
        assertEquals(end.readable.locked, false);
      }
    }
  });

  test(`as streams: cancelled (${kind})`, async () => {
    const { a, end, whole } = unreadFake();
    await whole.readable.cancel(cause);
    assertEquals(a.calls, [{ name: "cancel", args: [cause] }]);
    assertEquals(end.readable.locked, false);
    const refusing = unreadFake({ on: { cancel: () => Promise.reject(other) } });
    assertStrictEquals(await rejection(refusing.whole.readable.cancel(cause)), other);
  });

  test(`as streams: joined by hand, and closed unlocked (${kind})`, async () => {
    for (const asked of [true, false]) {
      const { a, end, whole } = unreadFake();
      if (asked) await whole.readable.cancel();
      await whole.close?.(cause);
      assertEquals(a.calls.at(-1), { name: "close", args: [cause] });
      assertEquals([end.readable.locked, end.writable.locked], [false, false]);
    }
    const { a, whole } = unreadFake();
    const b = new FakeEnd("conn");
    a.finish("body");
    b.finish("reply");
    const { readable, writable } = whole;
    await join({ readable, writable }, b.end);
    assertEquals([b.text, a.text], ["head body", "reply"]);
  });

  test(`it is locked at once, and for whoever has it (${kind})`, async () => {
    const { end, whole } = unreadFake();
    const b = new FakeEnd("conn");
    assertEquals([end.readable.locked, end.writable.locked], [true, false]);
    assertInstanceOf(await rejection(join(end, b.end)), TypeError);
    const controller = new AbortController();
    const joined = join(whole, b.end, { signal: controller.signal });
    assertEquals([end.readable.locked, end.writable.locked], [true, true]);
    const error = await rejection(join(whole, new FakeEnd("conn").end));
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, "must not have a locked 'readable'");
    controller.abort(cause);
    assertStrictEquals(await rejection(joined), cause);
    assertEquals([end.readable.locked, end.writable.locked], [false, false]);

    const { whole: second, end: its } = unreadFake();
    its.writable.getWriter();
    const refused = await rejection(join(second, b.end));
    assertInstanceOf(refused, TypeError);
    assertStringIncludes(refused.message, "must not have a locked 'writable'");
  });

  test(`what a join has not read is still there (${kind})`, { on: WITH_FULL_SINKS }, async () => {
    const { a, whole } = unreadFake();
    const b = new FakeEnd("default");
    b.stall();
    const writer = (b.end as Pair).writable.getWriter();
    writer.write(bytes("leaves no room")).catch(() => {});
    writer.releaseLock();
    const joined = join(whole, b.end, { preventClose: { a: true }, halfCloseTimeout: 50 });
    b.finish();
    assertEquals((await joined).ended, "timeout");
    a.finish("body");
    assertEquals(await new Response(whole.readable).text(), "head body");
  });

  // As those of a WebSocket's end do.
  test(`its end of file fails its writable (${kind})`, async () => {
    const { a, whole } = unreadFake({ halfClose: false });
    const b = new FakeEnd("conn");
    const joined = join(whole, b.end);
    await b.got("head ");
    a.closeReadable();
    a.errorWritable(other);
    await b.called("closeWrite");
    b.finish("too late");
    const { aToB, bToA, ended } = await joined;
    assertEquals([aToB.bytes, bToA.bytes, ended], [5, 0, "eof"]);
  });
}

test("a join reads it into memory that is lent, as without a head", {
  on: WITH_BYTE_STREAMS,
}, async () => {
  const requests: boolean[] = [];
  const readable = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const { byobRequest } = controller;
      requests.push(byobRequest !== null);
      controller.close();
      byobRequest?.respond(0);
    },
  });
  const b = new FakeEnd("bytes", { consumesOnWrite: true });
  b.finish();
  await join(unread({ readable, writable: new WritableStream() }, bytes("head")), b.end);
  assertEquals([b.text, requests], ["head", [true]]);
});

test("a polyfill's pair, whose pipeThrough takes no other's streams", async () => {
  const [here, there] = memoryPair();
  const polyfill = <T extends object>(stream: T): T =>
    new Proxy(stream, {
      get(target, name) {
        if (name === "pipeThrough" || name === "pipeTo") throw new TypeError("Illegal invocation");
        const member = Reflect.get(target, name, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  const { readable, writable } = there;
  const end = { readable: polyfill(readable), writable: polyfill(writable) };
  const b = new FakeEnd("conn");
  const joined = join(unread(end, bytes("head ")), b.end);
  await pipe(new Blob(["body"]).stream(), here.writable);
  b.finish("reply");
  assertEquals(await new Response(here.readable).text(), "reply");
  assertEquals([(await joined).aToB.bytes, b.text], [9, "head body"]);
  const [far, near] = memoryPair();
  const whole = unread({ ...near, readable: polyfill(near.readable) }, bytes("head "));
  await far.writable.close();
  assertEquals(await new Response(whole.readable).text(), "head ");
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
