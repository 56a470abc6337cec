/** `drain`: the graceful stop. */
import { type Conn, join, memoryPair, type Pair } from "@webstreams/join";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, delay, never, rejection, turns } from "../support/async.ts";
import { bytes } from "../support/bytes.ts";
import { failsBy, joinError } from "../support/errors.ts";
import { why } from "../support/outcome.ts";
import { CONNS, PAIRS, SOME, testRoutes } from "../support/routes.ts";
import { CountingController } from "../support/signal.ts";
import { untyped } from "../support/untyped.ts";

const WHOLE = ["closeWrite", "close"];
const DRAINED = { reason: "drained", first: undefined } as const;

testRoutes(
  "drain: two that are idle are half-closed, and closed once they have ended",
  async (t) => {
    const [a, b] = t.ends();
    const drain = new CountingController();
    const joined = t.join(a, b, { drain: drain.signal });
    a.send("ping");
    await b.got("ping");
    b.send("pong");
    await a.got("pong");
    drain.abort();
    await Promise.all([a.called("closeWrite"), b.called("closeWrite")]);
    await turns();
    assertEquals([a.ended, b.ended, t.settled], [["closeWrite"], ["closeWrite"], 0]);
    a.finish();
    b.finish();
    const result = await joined;
    assertEquals([result.ended, why(result)], ["eof", DRAINED]);
    assertEquals([result.aToB.bytes, result.bToA.bytes], [4, 4]);
    assertEquals([a.ended, b.ended], [WHOLE, WHOLE]);
    assertEquals(drain.listeners, 0);
  },
);

testRoutes(
  "drain: what has been read is written first, and what comes then is dropped",
  async (t) => {
    const [a, b] = t.ends();
    const write = deferred();
    b.onWrite = () => write.promise;
    const drain = new AbortController();
    const joined = t.join(a, b, { drain: drain.signal });
    a.send("in flight");
    await b.until(() => b.writes === 1);
    drain.abort();
    await a.called("closeWrite");
    await turns();
    assertEquals([b.ended, t.settled], [[], 0]);
    a.send("too late");
    await turns();
    write.resolve();
    await b.called("closeWrite");
    assertEquals(b.text, "in flight");
    b.send("dropped");
    await b.taken();
    a.finish("this too");
    b.finish();
    const result = await joined;
    assertEquals(why(result), DRAINED);
    assertEquals([result.aToB.bytes, result.bToA.bytes], ["in flight".length, 0]);
    assertEquals([a.text, b.text], ["", "in flight"]);
  },
  { via: "auto" },
);

testRoutes("drain: nothing that comes after it gets through", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  await Promise.all([a.waiting(), b.waiting()]);
  drain.abort();
  await Promise.all([a.called("closeWrite"), b.called("closeWrite")]);
  a.finish("too late");
  b.finish("too late");
  const { aToB, bToA, reason } = await joined;
  assertEquals([aToB.bytes, bToA.bytes, reason], [0, 0, "drained"]);
  assertEquals([a.text, b.text], ["", ""]);
});

testRoutes("drain: a chunk that waits for its rate is still written", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  // A burst of 50 bytes, and 100 ms for the rest.
  const joined = t.join(a, b, { rate: { aToB: 500 }, drain: drain.signal });
  a.send(new Uint8Array(100));
  await b.gotBytes(50);
  drain.abort();
  await b.called("closeWrite");
  a.finish();
  b.finish();
  const { aToB, reason } = await joined;
  assertEquals([aToB.bytes, reason], [100, "drained"]);
}, SOME);

testRoutes("drain: aborted before, nothing is moved at all", async (t) => {
  const [a, b] = t.ends();
  a.finish("too late");
  const joined = t.join(a, b, { drain: AbortSignal.abort() });
  await Promise.all([a.called("closeWrite"), b.called("closeWrite")]);
  assertEquals([b.writes, a.writes], [0, 0]);
  b.finish("too late");
  const result = await joined;
  assertEquals(why(result), DRAINED);
  assertEquals([result.aToB.bytes, result.bToA.bytes], [0, 0]);
  assertEquals([a.ended, b.ended], [WHOLE, WHOLE]);
});

testRoutes("drain: after an end, the other direction alone is stopped", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  a.finish("question");
  await b.called("closeWrite");
  b.send("ans");
  await a.got("ans");
  drain.abort();
  await a.called("closeWrite");
  b.finish("wer");
  const result = await joined;
  assertEquals(why(result), { reason: "drained", first: "a" });
  assertEquals([result.bToA.bytes, a.text], [3, "ans"]);
});

testRoutes("drain: once both have ended there is nothing to stop", async (t) => {
  const closed = deferred();
  const [a, b] = [t.end({ on: { close: () => closed.promise } }), t.end()];
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  a.finish();
  b.finish();
  await a.called("close");
  drain.abort();
  closed.resolve();
  assertEquals((await joined).reason, "eof");
});

testRoutes(
  "drain: a peer that takes nothing is waited for as long as halfCloseTimeout",
  async (t) => {
    const [a, b] = t.ends();
    b.stall();
    const drain = new AbortController();
    const joined = t.join(a, b, { drain: drain.signal, halfCloseTimeout: 100 });
    a.send("stuck");
    await b.until(() => b.writes === 1);
    const start = performance.now();
    drain.abort();
    await a.called("closeWrite");
    a.finish();
    b.finish();
    const result = await joined;
    assert(performance.now() - start >= 90);
    assertEquals([result.ended, why(result)], ["timeout", {
      reason: "half-close-timeout",
      first: undefined,
    }]);
    assertEquals(a.ended.at(-1), "close");
    assert(b.ended.includes("close"));
  },
  { via: "auto" },
);

testRoutes("drain: so is one that does not end, however much it sends", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal, halfCloseTimeout: 100 });
  drain.abort();
  a.finish();
  const start = performance.now();
  while (t.settled === 0 && performance.now() - start < 5000) {
    b.send("endless");
    await delay(5);
  }
  const { ended, bToA } = await joined;
  assertEquals([ended, bToA.bytes], ["timeout", 0]);
}, SOME);

testRoutes("drain: 30 s unless another timeout is asked for", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  drain.abort();
  await Promise.all([a.called("closeWrite"), b.called("closeWrite")]);
  const longest = Math.max(...t.timers.delays);
  assert(longest > 29_000 && longest <= 30_000, `the longest timer takes ${longest} ms`);
  a.finish();
  b.finish();
  await joined;
});

testRoutes("drain: being idle is no failure then", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal, idleTimeout: 100, halfCloseTimeout: 200 });
  drain.abort();
  assertEquals((await joined).ended, "timeout");
}, SOME);

testRoutes("drain: an abort cuts it", async (t) => {
  const [a, b] = t.ends();
  const drain = new CountingController();
  const joined = t.join(a, b, { drain: drain.signal });
  drain.abort();
  await Promise.all([a.called("closeWrite"), b.called("closeWrite")]);
  const reason = new Error("enough");
  t.controller.abort(reason);
  assertStrictEquals(await rejection(joined), reason);
  assertEquals(drain.listeners, 0);
});

testRoutes("drain: after an abort it changes nothing, nor does it beside one", async (t) => {
  const drain = new AbortController();
  const [a, b] = t.ends();
  const joined = t.join(a, b, { drain: drain.signal });
  const reason = new Error("enough");
  t.controller.abort(reason);
  drain.abort();
  assertStrictEquals(await rejection(joined), reason);
  const [c, d] = t.ends();
  const both = t.join(c, d, { drain: drain.signal });
  assertStrictEquals(await rejection(both), reason);
  const [e, f] = t.ends();
  const { signal } = drain;
  assertStrictEquals(await rejection(t.join(e, f, { drain: signal, signal })), signal.reason);
});

testRoutes("drain: a failure is one all the same", async (t) => {
  const [a, b] = t.ends();
  const cause = new Error("the first error");
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  drain.abort();
  await Promise.all([a.called("closeWrite"), b.called("closeWrite")]);
  a.failRead(cause);
  assertEquals((await failsBy(cause, joined)).first, "a");
});

testRoutes("drain: so is a write that fails meanwhile", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  a.send("in flight");
  await b.until(() => b.writes === 1);
  drain.abort();
  await a.called("closeWrite");
  const cause = new Error("the first error");
  write.reject(cause);
  const { side, end } = await failsBy(cause, joined);
  assertEquals([side, end], ["write", "b"]);
});

testRoutes("drain: after a failure it changes nothing", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  a.send("in flight");
  await b.until(() => b.writes === 1);
  const cause = new Error("the first error");
  a.errorReadable(cause);
  await turns();
  drain.abort();
  write.resolve();
  await failsBy(cause, joined);
}, PAIRS);

testRoutes("drain: an end that cannot half-close is closed at once", async (t) => {
  const [a, b] = [t.end(), t.end({ halfClose: false })];
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  a.send("ping");
  await b.got("ping");
  drain.abort();
  await a.called("closeWrite");
  a.finish();
  const result = await joined;
  assertEquals(why(result), DRAINED);
  assert(b.ended.includes("close"), String(b.ended));
  assert(!b.ended.includes("abort"), String(b.ended));
  assertEquals(a.ended, WHOLE);
});

testRoutes("drain: so is one that ends before it has taken all", async (t) => {
  const [a, b] = [t.end(), t.end({ halfClose: false })];
  b.stall();
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  a.send("stuck");
  await b.until(() => b.writes === 1);
  drain.abort();
  await a.called("closeWrite");
  b.finish();
  a.finish();
  assertEquals((await joined).reason, "drained");
  assert(b.ended.includes("close"), String(b.ended));
});

testRoutes(
  "drain: one that hears a half-close and cannot send one is ended with all",
  async (t) => {
    const [a, b] = [t.end(), t.end({ halfClose: "receive" })];
    const drain = new AbortController();
    const joined = t.join(a, b, { drain: drain.signal });
    await Promise.all([a.waiting(), b.waiting()]);
    drain.abort();
    await a.called("closeWrite");
    a.finish();
    assertEquals((await joined).reason, "drained");
    assert(b.ended.includes("closeWrite") && b.ended.includes("close"), String(b.ended));
  },
  PAIRS,
);

testRoutes("drain: an end that is gone already", async (t) => {
  const [a, b] = [t.end({ halfClose: false }), t.end()];
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  a.finish("last words");
  await b.called("closeWrite");
  drain.abort();
  b.send("dropped");
  await b.taken();
  b.finish();
  const result = await joined;
  assertEquals([result.bToA.bytes, why(result)], [0, { reason: "drained", first: "a" }]);
});

testRoutes("drain: the end of a peer that answers to it is no first end", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal });
  a.onWrite = never;
  drain.abort();
  await b.called("closeWrite");
  b.finish();
  await a.called("closeWrite");
  a.finish();
  assertEquals(why(await joined), DRAINED);
});

testRoutes("drain: a limit and maxDuration still hold", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal, maxDuration: 80 });
  drain.abort();
  assertEquals((await joinError(joined)).reason, "duration");
}, SOME);

testRoutes("drain and preventClose: both ends are given back at once, nothing lost", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  const joined = t.join(a, b, { drain: drain.signal, preventClose: true });
  a.send("passes");
  await b.got("passes");
  await Promise.all([a.waiting(), b.waiting()]);
  drain.abort();
  assertEquals(why(await joined), DRAINED);
  assertEquals([a.ended, b.ended], [[], []]);
}, CONNS);

for (const via of ["auto", "pipeTo"] as const) {
  test(`drain: what a read brings in the turn of it is dropped, or counted (${via})`, async () => {
    const drain = new AbortController();
    const asked = [deferred<Uint8Array<ArrayBuffer>>(), deferred<Uint8Array<ArrayBuffer>>()];
    const brought = [deferred<number | null>(), deferred<number | null>()];
    let reads = 0;
    const halfClosed = deferred<null>();
    let taken = 0;
    const a: Conn = {
      read(p) {
        asked[reads]?.resolve(p);
        return brought[reads++]?.promise ?? null;
      },
      write: (p) => p.length,
      closeWrite: () => brought[1].resolve(null),
      close() {},
    };
    const b: Conn = {
      read: () => halfClosed.promise,
      async write({ length }) {
        taken += length;
        await turns();
        return length;
      },
      closeWrite: () => halfClosed.resolve(null),
      close() {},
    };
    drain.signal.addEventListener("abort", () => brought[0].resolve(5));
    const joined = join(a, b, { drain: drain.signal, via });
    await asked[0].promise;
    drain.abort();
    const { reason, aToB } = await joined;
    assertEquals([reason, aToB.bytes], ["drained", taken]);
  });

  test(`drain and preventClose: what comes then is for whoever reads next (${via})`, async () => {
    const [[client, a], [b, server]] = [memoryPair(), memoryPair()];
    const drain = new AbortController();
    const joined = join(a, b, { drain: drain.signal, preventClose: true, via });
    const writer = client.writable.getWriter();
    await writer.write(bytes("through"));
    const reader = server.readable.getReader();
    assertEquals((await reader.read()).value, bytes("through"));
    await turns();
    drain.abort();
    assertEquals((await joined).reason, "drained");
    await writer.write(bytes("next"));
    const rest = a.readable.getReader();
    assertEquals((await rest.read()).value, bytes("next"));
    // The other way as well.
    void server.writable.getWriter().write(bytes("back"));
    assertEquals((await b.readable.getReader().read()).value, bytes("back"));
  });

  test(`drain and preventClose of one end alone (${via})`, async () => {
    const [[client, a], [b, server]] = [memoryPair(), memoryPair()];
    const drain = new AbortController();
    const joined = join(a, b, { drain: drain.signal, preventClose: { a: true }, via });
    await turns();
    drain.abort();
    const read = new Response(server.readable).text();
    assertEquals(await read, "");
    await server.writable.close();
    assertEquals((await joined).reason, "drained");
    const writer = client.writable.getWriter();
    void writer.write(bytes("mine"));
    assertEquals((await a.readable.getReader().read()).value, bytes("mine"));
  });
}

test("drain: a read that settles just then is written before the half-close, or not at all", async () => {
  for (let wait = 0; wait < 20; wait++) {
    const drain = new AbortController();
    const read = deferred<number>();
    const calls: string[] = [];
    let reads = 0;
    const a = {
      read: () => ++reads === 1 ? read.promise : null,
      write: (p: Uint8Array<ArrayBuffer>) => p.length,
      close() {},
      closeWrite() {},
    };
    const b = {
      read: () => null,
      async write(p: Uint8Array<ArrayBuffer>) {
        calls.push("write");
        await turns();
        calls.push("written");
        return p.length;
      },
      close() {},
      closeWrite: () => void calls.push("closeWrite"),
    };
    const joined = join(a, b, { drain: drain.signal });
    await turns();
    drain.abort();
    for (let i = 0; i < wait; i++) await undefined;
    read.resolve(1);
    const { aToB } = await joined;
    const passed = aToB.bytes > 0 ? ["write", "written", "closeWrite"] : ["closeWrite"];
    assertEquals([calls, aToB.chunks], [passed, aToB.bytes], `${wait} microtasks`);
  }
});

testRoutes("drain: what is left open is not read when the other end fails after it", async (t) => {
  const [a, b] = t.ends();
  const drain = new AbortController();
  const cause = new Error("no more");
  const joined = t.join(a, b, { drain: drain.signal, preventClose: { a: true } });
  b.send("greeting");
  await a.got("greeting");
  const write = deferred();
  b.onWrite = () => write.promise;
  a.send("in flight");
  await b.until(() => b.writes === 1);
  drain.abort();
  write.resolve();
  await b.called("closeWrite");
  a.send("for whoever reads next");
  b.failRead(cause);
  const error = await failsBy(cause, joined);
  assertEquals([a.reads, error.other, error.aToB.bytes], [1, undefined, "in flight".length]);
}, { kinds: ["conn"], via: "auto" });

test("a stream that fails at the start leaves no listener at the drain signal, and no lock", async () => {
  const broken = new Error("broken");
  const drain = new CountingController();
  // As a polyfill's may be: it can be followed once, by whoever locks it, and no further.
  const closed = {
    catch() {},
    then() {
      throw broken;
    },
  };
  let locks = 0;
  const readable = {
    locked: false,
    getReader() {
      locks++;
      return { closed, read: () => never(), cancel: () => {}, releaseLock: () => void locks-- };
    },
  };
  const [, b] = memoryPair();
  const end = untyped<Pair>({ readable, writable: new WritableStream() });
  assertStrictEquals(await rejection(join(end, b, { drain: drain.signal })), broken);
  assertEquals([drain.listeners, locks, b.readable.locked], [0, 0, false]);
});
