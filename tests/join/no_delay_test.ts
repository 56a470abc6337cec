/** Nagle's algorithm: off, for what has a `setNoDelay`, unless the caller wants it. */
import { type Conn, join } from "@webstreams/join";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { test } from "../harness.ts";
import { rejection } from "../support/async.ts";
import { FakeEnd } from "../support/fake_end.ts";

/** A Go-style end, its peer, and what its `setNoDelay` was called with. */
function connWith(setNoDelay: () => unknown) {
  const peer = new FakeEnd("conn");
  const calls: boolean[] = [];
  const end: Conn = Object.assign(peer.end as Conn, {
    setNoDelay(this: unknown, noDelay: boolean) {
      calls.push(noDelay);
      assertEquals(this, end);
      return setNoDelay();
    },
  });
  return { end, peer, calls };
}

const outcomes: Record<string, () => unknown> = {
  returns: () => {},
  throws: () => {
    throw new Error("Its peer has gone");
  },
  rejects: () => Promise.reject(new Error("Its peer has gone")),
};

for (const [how, setNoDelay] of Object.entries(outcomes)) {
  test(`join calls a setNoDelay that ${how}, of either end, before it returns`, async () => {
    const [a, b] = [connWith(setNoDelay), connWith(setNoDelay)];
    const joined = join(a.end, b.end);
    assertEquals([a.calls, b.calls], [[true], [true]]);
    for (const { peer } of [a, b]) peer.finish("hello");
    const { aToB, bToA } = await joined;
    assertEquals([aToB.bytes, bToA.bytes], [5, 5]);
  });
}

test("whoever calls setNoDelay after join has the last word", async () => {
  const [a, b] = [connWith(() => {}), connWith(() => {})];
  const joined = join(a.end, b.end);
  a.end.setNoDelay?.(false);
  for (const { peer } of [a, b]) peer.finish("hello");
  await joined;
  assertEquals([a.calls, b.calls], [[true, false], [true]]);
});

test("join calls no setNoDelay if it refuses the other end", async () => {
  const { end, calls } = connWith(() => {});
  const { readable, writable } = new TransformStream();
  readable.getReader();
  assertInstanceOf(await rejection(join(end, { readable, writable })), TypeError);
  assertEquals(calls, []);
});
