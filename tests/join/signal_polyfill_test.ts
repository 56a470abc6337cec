/** Signals that are not the platform's: an old polyfill's, and those that throw on the way in. */
import { join, type JoinStats, type Pair, pipe, type Reader, type Writer } from "@webstreams/join";
import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { test } from "../harness.ts";
import { rejection, turns } from "../support/async.ts";
import { FakeEnd, KINDS, PAIR_KINDS } from "../support/fake_end.ts";
import { untyped } from "../support/untyped.ts";

const cause = new Error("from the signal");

/** Takes functions alone, and gives no reason unless it is told one. */
class OldSignal {
  aborted = false;
  reason: unknown;
  readonly listeners = new Set<unknown>();

  addEventListener(_: "abort", listener: unknown): void {
    if (typeof listener !== "function") throw new TypeError("The listener must be a function");
    this.listeners.add(listener);
  }

  removeEventListener(_: "abort", listener: unknown): void {
    this.listeners.delete(listener);
  }

  abort(reason?: unknown): void {
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.listeners) (listener as () => void)();
  }
}

/** The two of an end, or a half of it, that may be locked. */
function lockedOf(...ends: FakeEnd[]): boolean[] {
  return ends.flatMap(({ end }) =>
    "readable" in end ? [end.readable.locked, end.writable.locked] : []
  );
}

for (const kind of KINDS) {
  test(`a polyfill's signal aborts a join, and is left (${kind})`, async () => {
    for (const reason of [cause, undefined]) {
      const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
      const signal = new OldSignal();
      const joined = join(a.end, b.end, { signal: untyped(signal) });
      a.send("hello");
      await b.got("hello");
      assertEquals(signal.listeners.size, 1);
      signal.abort(reason);
      const error = await rejection(joined);
      if (reason) assertStrictEquals(error, reason);
      else assertEquals((error as DOMException).name, "AbortError");
      assertEquals(signal.listeners.size, 0);
      if (kind !== "conn") assertStrictEquals(b.calls.at(-1)!.args[0], error);
    }
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
    const signal = new OldSignal();
    a.finish();
    b.finish();
    await join(a.end, b.end, { signal: untyped(signal) });
    assertEquals(signal.listeners.size, 0);
  });

  test(`a polyfill's signal aborts a pipe, and is left (${kind})`, async () => {
    for (const reason of [cause, undefined]) {
      for (const before of [true, false]) {
        const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
        const signal = new OldSignal();
        if (before) signal.abort(reason);
        const [source, sink] = halves(a, b);
        const piped = pipe(source, sink, { signal: untyped(signal) });
        if (!before) signal.abort(reason);
        const error = await rejection(piped);
        if (reason) assertStrictEquals(error, reason);
        else assertEquals((error as DOMException).name, "AbortError");
        assertEquals(signal.listeners.size, 0);
      }
    }
  });

  test(`a signal that throws on the way in leaves no lock (${kind})`, async () => {
    class Throwing extends OldSignal {
      override addEventListener(): void {
        throw cause;
      }
    }
    class Hiding extends OldSignal {
      #looked = false;
      constructor() {
        super();
        Object.defineProperty(this, "aborted", {
          get: () => {
            if (this.#looked) throw cause;
            this.#looked = true;
            return false;
          },
        });
      }
    }
    for (const make of [() => new Throwing(), () => new Hiding()]) {
      const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
      assertStrictEquals(await rejection(join(a.end, b.end, { signal: untyped(make()) })), cause);
      const piped = pipe(...halves(a, b), { signal: untyped(make()) });
      assertStrictEquals(await rejection(piped), cause);
      await turns();
      assertEquals(lockedOf(a, b).includes(true), false);
      assertEquals([a.calls, b.calls, a.writes, b.writes], [[], [], 0, 0]);
      // Both can still be used.
      a.finish("all");
      b.finish();
      await join(a.end, b.end);
      assertEquals(b.text, "all");
    }
  });
}

/** For a pipe. */
function halves(
  a: FakeEnd,
  b: FakeEnd,
): [ReadableStream<unknown> | Reader, WritableStream<unknown> | Writer] {
  const readable = "readable" in a.end ? a.end.readable : a.end;
  const writable = "writable" in b.end ? b.end.writable : b.end;
  return [readable, writable as WritableStream<unknown>];
}

for (const kind of PAIR_KINDS) {
  test(`stats that cannot be written to leave no lock (${kind})`, async () => {
    const [a, b] = [new FakeEnd(kind), new FakeEnd(kind)];
    const stats: JoinStats = Object.freeze({});
    assertInstanceOf(await rejection(join(a.end, b.end, { stats })), TypeError);
    const piped = pipe((a.end as Pair).readable, (b.end as Pair).writable, untyped({ stats }));
    assertInstanceOf(await rejection(piped), TypeError);
    assertEquals(lockedOf(a, b).includes(true), false);
  });
}

test("what cannot be listened to any more is no signal", async () => {
  const [a, b] = [new FakeEnd("conn"), new FakeEnd("conn")];
  const signal = untyped<AbortSignal>({ aborted: false, addEventListener() {} });
  for (const refused of [join(a.end, b.end, { signal }), pipe(...halves(a, b), { signal })]) {
    const error = await rejection(refused);
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, "'signal' must be an AbortSignal");
  }
  assertEquals([a.reads, b.calls], [0, []]);
});
