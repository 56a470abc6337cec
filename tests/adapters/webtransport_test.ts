/** What `fromWebTransport` takes and refuses, on every runtime, and what it gives. */
import { memoryPair } from "@webstreams/join";
import { fromWebTransport, type WebTransportStream } from "@webstreams/join/webtransport";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "../harness.ts";
import { untyped } from "../support/untyped.ts";

const streams = () => new TransformStream<Uint8Array, Uint8Array>();
const session = { createBidirectionalStream() {}, close() {} };
const datagrams = { ...memoryPair()[0], maxDatagramSize: 1200 };

const wrong: readonly (readonly [string, unknown, string, string])[] = [
  ["nothing", undefined, "", "undefined"],
  ["null", null, "", "null"],
  ["a URL", "https://example.com/", "", '"https://example.com/"'],
  ["a promise of one", Promise.resolve(streams()), ", awaited", "an object (Promise)"],
  ["a session", session, ", opened with createBidirectionalStream()", "an object (Object)"],
  ...[new ReadableStream(), new WritableStream()].map((half) => {
    const { name } = half.constructor;
    return [`a ${name} alone`, half, ": for one half alone use pipe()", `an object (${name})`];
  }) as [string, unknown, string, string][],
  [
    "a Go-style end",
    { read() {}, write() {}, close() {} },
    ": a Go-style end needs no adapter",
    "an object (Object)",
  ],
  ["datagrams", datagrams, ", no datagrams", "an object (Object)"],
  ["half of one", { readable: new ReadableStream() }, "", "an object (Object)"],
  ["a look-alike", { readable: {}, writable: {} }, "", "an object (Object)"],
];

for (const [what, value, hint, shown] of wrong) {
  test(`fromWebTransport refuses ${what}`, () => {
    const { message } = assertThrows(() => fromWebTransport(untyped(value)), TypeError);
    const rule = `must be a WebTransportBidirectionalStream${hint}: got ${shown}`;
    assertEquals(message, `Cannot make an end of a WebTransport stream as 'stream' ${rule}`);
  });
}

for (const half of ["readable", "writable"] as const) {
  test(`fromWebTransport refuses a locked ${half}, and touches nothing`, () => {
    const stream = streams();
    if (half === "readable") stream.readable.getReader();
    else stream.writable.getWriter();
    const error = assertThrows(() => fromWebTransport(stream), TypeError);
    const message = ` as '${half}' must not be locked: got an object (TransformStream)`;
    assert(error.message.endsWith(message));
    assertEquals([stream.readable.locked, stream.writable.locked].filter(Boolean), [true]);
  });
}

test("fromWebTransport refuses a session that cannot be closed", () => {
  const stream = streams();
  const error = assertThrows(
    () => fromWebTransport(stream, untyped({ session: {} })),
    TypeError,
  );
  assert(error.message.endsWith(" as 'session' must have a close(): got an object (Object)"));
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
