/**
 * What joins reject with, and what a teardown must have done.
 *
 * @module
 */
import { JoinError, type JoinResult } from "@webstreams/join";
import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { rejection } from "./async.ts";
import type { FakeEnd } from "./fake_end.ts";

/** The {@linkcode JoinError} that `joined` rejects with. */
export async function joinError(joined: Promise<JoinResult>): Promise<JoinError> {
  const error = await rejection(joined);
  assertInstanceOf(error, JoinError);
  return error;
}

/** What `joined` rejects with has this very cause. */
export async function failsBy(cause: unknown, joined: Promise<JoinResult>): Promise<JoinError> {
  const error = await joinError(joined);
  assertStrictEquals(error.cause, cause);
  return error;
}

/** Where an error says that it happened. */
export function where({ direction, side, end }: JoinError): unknown[] {
  return [direction, side, end];
}

/** How a torn down end's streams were when it happened. */
export interface TornDownOptions {
  /** Reading had failed or ended before: there is nothing to cancel. */
  readOver?: boolean;
  /** Writing had failed or ended before, or a write is stuck: the sink's `abort` is not called. */
  writeOver?: boolean;
  /** It had been half-closed before. */
  halfClosed?: boolean;
}

/** The end has been torn down, whole and once, and each part was given the bare `reason`. */
export function assertTornDown(
  end: FakeEnd,
  reason: unknown,
  { readOver = false, writeOver = false, halfClosed = false }: TornDownOptions = {},
): void {
  const teardown = halfClosed ? end.ended.slice(1) : end.ended;
  if (halfClosed) assertEquals(end.ended[0], "closeWrite");
  if (end.kind === "conn") {
    const aborts = "abort" in end.end;
    assertEquals(teardown, [aborts ? "abort" : "close"]);
    assertEquals(end.calls.at(-1)!.args.length, aborts ? 1 : 0);
    if (aborts) assertStrictEquals(end.calls.at(-1)!.args[0], reason);
    return;
  }
  const expected = ["close"];
  if (!readOver) expected.push("cancel");
  if (!writeOver && !halfClosed) expected.push("abort");
  assertEquals(new Set(teardown), new Set(expected));
  assertEquals(teardown.length, expected.length);
  for (const { name, args } of end.calls) {
    if (name !== "closeWrite") assertStrictEquals(args[0], reason, name);
  }
}
