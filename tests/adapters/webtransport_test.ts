/** What `fromWebTransport` takes and refuses, on every runtime, and what it gives. */
import { memoryPair } from "@webstreams/join";
import { fromWebTransport, type WebTransportStream } from "@webstreams/join/webtransport";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "../harness.ts";
import { untyped } from "../support/untyped.ts";

const streams = () => new TransformStream<Uint8Array, Uint8Array>();
const session = { createBidirectionalStream() {}, close() {} };
const datagrams = { ...memoryPair()[0], maxDatagramSize: 1200 };

const wrong: readonly (readonly [string, unknown, RegExp])[] = [
  ["nothing", undefined, /got undefined$/],
  ["null", null, /got null$/],
  ["a URL", "https://example.com/", /got "https:\/\/example.com\/"$/],
  ["a promise of one", Promise.resolve(streams()), /got an object \(Promise\): await it$/],
  ["a session", session, /, a session: open a stream with its createBidirectionalStream\(\)$/],
  [
    "a readable alone",
    new ReadableStream(),
    /\(ReadableStream\), which goes one way: use pipe\(\)$/,
  ],
  [
    "a writable alone",
    new WritableStream(),
    /\(WritableStream\), which goes one way: use pipe\(\)$/,
  ],
  ["a Go-style end", { read() {}, write() {}, close() {} }, /, which needs no adapter$/],
  ["datagrams", datagrams, /, which carries datagrams$/],
  ["half of one", { readable: new ReadableStream() }, /got an object \(Object\)$/],
  ["a look-alike", { readable: {}, writable: {} }, /got an object \(Object\)$/],
];

for (const [what, value, message] of wrong) {
  test(`fromWebTransport refuses ${what}`, () => {
    const error = assertThrows(() => fromWebTransport(untyped(value)), TypeError);
    const rule =
      /^Cannot make an end of a WebTransport stream: must be a WebTransportBidirectionalS/;
    assert(rule.test(error.message), error.message);
    assert(message.test(error.message), error.message);
  });
}

for (const half of ["readable", "writable"] as const) {
  test(`fromWebTransport refuses a locked ${half}, and touches nothing`, () => {
    const stream = streams();
    if (half === "readable") stream.readable.getReader();
    else stream.writable.getWriter();
    const error = assertThrows(() => fromWebTransport(stream), TypeError);
    assert(error.message.endsWith(`: an object (TransformStream) has a locked '${half}'`));
    assertEquals([stream.readable.locked, stream.writable.locked].filter(Boolean), [true]);
  });
}

test("fromWebTransport refuses a session that cannot be closed", () => {
  const stream = streams();
  const error = assertThrows(
    () => fromWebTransport(stream, untyped({ session: {} })),
    TypeError,
  );
  assert(error.message.endsWith(": 'session' must have a close(), got an object (Object)"));
  assertEquals([stream.readable.locked, stream.writable.locked], [false, false]);
});

test("fromWebTransport gives the stream's own streams", () => {
  const stream = streams();
  const end = fromWebTransport(stream);
  assertStrictEquals(end.readable as ReadableStream, stream.readable);
  assertStrictEquals(end.writable as WritableStream, stream.writable);
  assertEquals([stream.readable.locked, stream.writable.locked], [false, false]);
});

test("fromWebTransport does not trust a stream that is not the platform's with its memory", () => {
  assertEquals(fromWebTransport(streams()).consumesOnWrite, false);
  assertEquals(fromWebTransport(streams()).halfClose, true);
});

test("fromWebTransport closes the session it is given after a failure alone, with its code", () => {
  const told: unknown[] = [];
  const stream: WebTransportStream = streams();
  const end = () => fromWebTransport(stream, { session: { close: (info) => told.push(info) } });
  end().close?.();
  assertEquals(told, []);
  end().close?.(new Error("without a code"));
  end().close?.(Object.assign(new Error("with a code"), { streamErrorCode: 42 }));
  end().close?.("no error");
  const codes = [0, 42, 0].map((closeCode) => ({ closeCode, reason: "" }));
  assertEquals(told, codes);
  fromWebTransport(stream).close?.(new Error("without a session"));
});
