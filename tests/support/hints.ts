/**
 * What the error says of an object that is no end.
 *
 * @module
 */
import { join, type Pair } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { rejection } from "./async.ts";
import { FakeEnd } from "./fake_end.ts";
import { untyped } from "./untyped.ts";

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
