/**
 * What the error says of an object that is no end.
 *
 * @module
 */
import { duplex, join, type Pair, pipe } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { rejection } from "./async.ts";
import { FakeEnd } from "./fake_end.ts";
import { untyped } from "./untyped.ts";

/** So it is as half an end, in `pipe` and in `duplex`. */
export async function assertHalfHint(
  value: unknown,
  verb: "read" | "write",
  hint: string,
): Promise<void> {
  const half = untyped<ReadableStream & WritableStream>(value);
  const [readable, writable] = verb === "read"
    ? [half, new WritableStream()]
    : [new ReadableStream(), half];
  const errors = [
    await rejection(pipe(readable, writable)),
    assertThrows(() => duplex(readable, writable)),
  ];
  for (const error of errors) {
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, hint);
  }
  assertEquals((verb === "read" ? writable : readable).locked, false);
}

/** On either side it is a `TypeError` with `hint`, and the other end is left alone. */
export async function assertHint(value: unknown, hint: string): Promise<void> {
  const other = new FakeEnd("conn");
  for (
    const joined of [join(untyped<Pair>(value), other.end), join(other.end, untyped<Pair>(value))]
  ) {
    const error = await rejection(joined);
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, hint);
  }
  assertEquals([other.reads, other.calls], [0, []]);
}
