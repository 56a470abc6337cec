/** Ends that cannot half-close: a WebSocket; a file, which has no `closeWrite`. */
import { join, JoinError } from "@webstreams/join";
import { assertEquals, assertFalse, assertInstanceOf } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, rejection, turns } from "../support/async.ts";
import { failsBy, where } from "../support/errors.ts";
import { FakeEnd } from "../support/fake_end.ts";
import { passed } from "../support/outcome.ts";
import { PAIRS, testRoutes } from "../support/routes.ts";

const halfClose = false;

testRoutes("b cannot half-close: it stays open until it has ended itself", async (t) => {
  const [a, b] = [t.end(), t.end({ halfClose })];
  const joined = t.join(a, b);
  a.finish("question");
  await b.got("question");
  await turns();
  assertEquals([a.ended, b.ended], [[], []]);
  b.send("first ");
  await a.got("first ");
  b.finish("second");
  const { ended, bToA } = await joined;
  assertEquals([ended, bToA.bytes], ["eof", 12]);
  assertEquals(a.text, "first second");
  assertEquals(b.ended.at(-1), "close");
});

testRoutes("... or is silent for halfCloseTimeout", async (t) => {
  const [a, b] = [t.end(), t.end({ halfClose })];
  const joined = t.join(a, b, { halfCloseTimeout: 50 });
  a.finish("question");
  const { ended, aToB } = await joined;
  assertEquals([ended, aToB.bytes], ["timeout", 8]);
  assertEquals(b.ended.at(-1), "close");
  assertEquals(a.ended.at(-1), "close");
});

testRoutes("one that ended takes nothing more: flush, half-close, drain uncounted", async (t) => {
  const [a, b] = [t.end({ halfClose }), t.end()];
  const joined = t.join(a, b);
  b.send("before");
  await a.got("before");
  a.finish("last words");
  await b.called("closeWrite");
  assertEquals(b.text, "last words");
  const { reads } = b;
  b.send("too late");
  await b.until(() => b.reads > reads);
  await b.waiting();
  assertEquals(t.settled, 0);
  assertEquals(b.ended, ["closeWrite"]);
  b.finish("even later");
  assertEquals(passed(await joined), {
    aToB: { bytes: 10, chunks: 1 },
    bToA: { bytes: 6, chunks: 1 },
    ended: "eof",
  });
  assertEquals(a.text, "before");
  assertEquals(b.ended, ["closeWrite", "close"]);
  assertEquals(a.ended.at(-1), "close");
});

testRoutes("the drain ends after halfCloseTimeout without a read", async (t) => {
  const [a, b] = [t.end(), t.end({ halfClose })];
  const joined = t.join(a, b, { halfCloseTimeout: 50 });
  b.finish("bye");
  await a.called("closeWrite");
  a.send("dropped");
  assertEquals(passed(await joined), {
    aToB: { bytes: 0, chunks: 0 },
    bToA: { bytes: 3, chunks: 1 },
    ended: "timeout",
  });
  assertEquals([a.ended.at(-1), b.ended.at(-1)], ["close", "close"]);
  assertEquals(b.text, "");
});

testRoutes("... even when a write to the end that has ended is stuck", async (t) => {
  const [a, b] = [t.end({ halfClose }), t.end()];
  a.stall();
  const joined = t.join(a, b);
  b.send("stuck");
  await a.until(() => a.writes === 1);
  b.send("behind it");
  a.finish("flushed");
  await b.called("closeWrite");
  assertEquals(b.text, "flushed");
  b.finish("late");
  const { ended, aToB, bToA } = await joined;
  assertEquals([ended, aToB.bytes], ["eof", 7]);
  // `pipeTo` counts what is on its way as well.
  if (t.route.via === "auto") assertEquals(bToA.bytes, 0);
  assertEquals([a.ended.at(-1), b.ended.at(-1)], ["close", "close"]);
});

testRoutes("... or fails because of that", async (t) => {
  const [a, b] = [t.end({ halfClose }), t.end()];
  const write = deferred();
  a.onWrite = () => write.promise;
  const joined = t.join(a, b);
  b.send("stuck");
  await a.until(() => a.writes === 1);
  a.finish("flushed");
  await b.called("closeWrite");
  write.reject(new Error("broken pipe"));
  b.finish("late");
  const { ended, aToB, bToA } = await joined;
  assertEquals([ended, aToB.bytes], ["eof", 7]);
  // `pipeTo` counts what is on its way as well.
  if (t.route.via === "auto") assertEquals(bToA.bytes, 0);
});

testRoutes("... or the other end has ended behind it", async (t) => {
  const [a, b] = [t.end({ halfClose, highWaterMark: 5 }), t.end()];
  a.stall();
  const joined = t.join(a, b);
  b.finish("stuck");
  await a.until(() => a.writes === 1);
  await turns();
  a.finish("flushed");
  await b.called("closeWrite");
  assertEquals(b.text, "flushed");
  assertEquals((await joined).ended, "eof");
  assertEquals([a.ended.at(-1), b.ended.at(-1)], ["close", "close"]);
});

testRoutes("of two that cannot half-close, the other is closed once all is flushed", async (t) => {
  const [a, b] = [t.end({ halfClose }), t.end({ halfClose })];
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b, { halfCloseTimeout: Infinity });
  a.finish("last words");
  await b.until(() => b.writes === 1);
  await turns();
  assertEquals(b.ended, []);
  write.resolve();
  const { ended, reason, first, aToB } = await joined;
  assertEquals([ended, reason, first, aToB.bytes], ["eof", "eof", "a", 10]);
  assertEquals(b.text, "last words");
  assertEquals([a.ended.at(-1), b.ended.at(-1)], ["close", "close"]);
});

testRoutes("... or its writing fails as it ends, before all is flushed", async (t) => {
  const [a, b] = [t.end({ halfClose }), t.end()];
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b);
  a.send("last words");
  await b.until(() => b.writes === 1);
  // As a WebSocket does that is closed.
  a.closeReadable();
  a.errorWritable(new Error("closed"));
  await turns();
  write.resolve();
  await b.called("closeWrite");
  assertEquals(b.text, "last words");
  b.finish("too late");
  const { ended, aToB } = await joined;
  assertEquals([ended, aToB.bytes], ["eof", 10]);
}, PAIRS);

testRoutes("... or its own flush to the other end takes long", async (t) => {
  const [a, b] = [t.end({ halfClose }), t.end()];
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b);
  a.finish("slow flush");
  await b.until(() => b.writes === 1);
  await turns();
  assertFalse(b.ended.includes("closeWrite"));
  write.resolve();
  await b.called("closeWrite");
  assertEquals(b.text, "slow flush");
  b.finish();
  assertEquals((await joined).aToB.bytes, 10);
});

testRoutes("the other end had ended before", async (t) => {
  const [a, b] = [t.end({ halfClose }), t.end()];
  const joined = t.join(a, b);
  b.finish("one");
  await a.got("one");
  await turns();
  a.finish("two");
  const { ended, aToB, bToA } = await joined;
  assertEquals([ended, aToB.bytes, bToA.bytes], ["eof", 3, 3]);
});

testRoutes("neither can half-close: one that ended is drained to", async (t) => {
  const [a, b] = t.ends({ halfClose });
  const joined = t.join(a, b);
  a.finish("all of it");
  await b.got("all of it");
  await turns();
  b.finish("dropped");
  const { ended, aToB, bToA } = await joined;
  assertEquals([ended, aToB.bytes, bToA.bytes], ["eof", 9, 0]);
  assertEquals([a.ended.at(-1), b.ended.at(-1)], ["close", "close"]);
});

testRoutes(
  "of two that end with last words under way a close that fails is waited for, and told",
  async (t) => {
    const [written, closed] = [deferred(), deferred()];
    const cause = new Error("the close failed");
    const close = async () => {
      await closed.promise;
      throw cause;
    };
    const [a, b] = [t.end({ halfClose }), t.end({ halfClose, on: { close } })];
    b.onWrite = () => written.promise;
    const joined = t.join(a, b);
    a.finish("last words");
    await b.until(() => b.writes === 1);
    b.finish();
    await b.called("close");
    written.resolve();
    await turns();
    assertEquals(t.settled, 0);
    closed.resolve();
    const error = await rejection(joined);
    assertInstanceOf(error, JoinError);
    assertEquals([error.end, error.side, error.cause], ["b", undefined, cause]);
  },
);

testRoutes("a rate does not slow the drain down", async (t) => {
  const [a, b] = [t.end({ halfClose }), t.end()];
  const joined = t.join(a, b, { rate: { bToA: 1 } });
  b.send("a chunk that would take a minute");
  await b.until(() => b.reads === 1);
  await turns();
  a.finish();
  await b.called("closeWrite");
  b.finish("and another one of its kind");
  assertEquals((await joined).ended, "eof");
});

testRoutes("a limit does not end the drain", async (t) => {
  const [a, b] = [t.end({ halfClose }), t.end()];
  const joined = t.join(a, b, { limit: { bToA: 4 } });
  b.send("four");
  await a.got("four");
  a.finish();
  await b.called("closeWrite");
  b.finish("more than that");
  const { ended, bToA } = await joined;
  assertEquals([ended, bToA.bytes], ["eof", 4]);
});

testRoutes("one that hears a half-close and cannot send one is still written to", async (t) => {
  const [a, b] = [t.end({ halfClose: "receive" }), t.end()];
  const joined = t.join(a, b);
  a.finish("question");
  await b.called("closeWrite");
  b.finish("answer");
  const { ended, aToB, bToA } = await joined;
  assertEquals([ended, aToB.bytes, bToA.bytes], ["eof", 8, 6]);
  assertEquals(a.text, "answer");
  // A Go-style one has nothing else to end its writing with.
  assertEquals(a.ended, a.kind === "conn" ? ["close"] : ["closeWrite", "close"]);
});

testRoutes("... and is waited for as one that cannot half-close at all", async (t) => {
  const [a, b] = [t.end({ halfClose: "receive" }), t.end()];
  const joined = t.join(a, b, { halfCloseTimeout: 50 });
  b.finish("question");
  assertEquals((await joined).ended, "timeout");
  assertEquals(a.text, "question");
});

testRoutes("... and its own failures are reported, once it is closed", async (t) => {
  const a = t.end({ halfClose: "receive" });
  const b = t.end();
  const cause = new Error("disk full");
  const joined = t.join(a, b);
  a.finish();
  await b.called("closeWrite");
  a.failWrites(cause);
  b.send("no room");
  assertEquals(where(await failsBy(cause, joined)), ["bToA", "write", "a"]);
});

test("a Go-style end may have closeWrite, and say that it is over with its end of file", async () => {
  const calls: string[] = [];
  const a = {
    halfClose: false,
    read: () => null,
    write: (p: Uint8Array) => p.length,
    closeWrite: () => void calls.push("closeWrite"),
    close: () => void calls.push("close"),
  } as const;
  const b = new FakeEnd("conn");
  const joined = join(a, b.end);
  b.finish("dropped");
  assertEquals((await joined).bToA.bytes, 0);
  assertEquals(calls, ["close"]);
});
