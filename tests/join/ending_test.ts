/** `halfClose: "end"` and `maxDuration`: when it is over is the caller's choice. */
import { assert, assertEquals, assertInstanceOf, assertLess } from "@std/assert";
import { deferred, delay, took, turns } from "../support/async.ts";
import { assertTornDown, joinError, where } from "../support/errors.ts";
import { BYTES } from "../support/fake_end.ts";
import { why } from "../support/outcome.ts";
import { PAIRS, SOME, testRoutes } from "../support/routes.ts";

const halfClose = "end";
/** Half a second is what the other end gets. */
const AT_MOST_MS = 2000;

for (const first of ["a", "b"] as const) {
  testRoutes(`halfClose "end": the end of ${first} is that of both`, async (t) => {
    const [a, b] = t.ends();
    const joined = t.join(a, b, { halfClose });
    const [from, to] = first === "a" ? [a, b] : [b, a];
    to.send("before");
    await from.got("before");
    from.finish("last words");
    const ms = await took(async () => {
      const result = await joined;
      assertEquals([result.ended, why(result)], ["eof", { reason: "eof", first }]);
      const [there, back] = first === "a" ? [result.aToB, result.bToA] : [result.bToA, result.aToB];
      assertEquals([there.bytes, back.bytes], ["last words".length, "before".length]);
    });
    assertLess(ms, AT_MOST_MS);
    assertEquals(to.text, "last words");
    assertEquals(to.ended.filter((name) => name !== "cancel"), ["closeWrite", "close"]);
    assertEquals(from.ended.filter((name) => name !== "cancel"), ["closeWrite", "close"]);
  });
}

testRoutes('halfClose "end": at once, if the other end ends with it', async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { halfClose });
  a.finish("last words");
  await b.called("closeWrite");
  b.finish();
  assertLess(await took(() => joined), 400);
  assertEquals(a.ended, ["closeWrite", "close"]);
});

testRoutes('halfClose "end": nothing of the other end passes any more', async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { halfClose });
  a.finish("last words");
  await Promise.all([a.called("closeWrite"), b.called("closeWrite")]);
  b.send("too late");
  await b.taken();
  b.finish();
  assertEquals((await joined).bToA.bytes, 0);
  assertEquals([a.text, b.text], ["", "last words"]);
});

testRoutes(
  'halfClose "end": until all of the ended end is written, the other goes on',
  async (t) => {
    const [a, b] = t.ends();
    const write = deferred();
    b.onWrite = () => write.promise;
    const joined = t.join(a, b, { halfClose });
    a.finish("slow");
    await b.until(() => b.writes === 1);
    await turns();
    b.send("still");
    await a.got("still");
    assertEquals(t.settled, 0);
    write.resolve();
    const { aToB, bToA } = await joined;
    assertEquals([aToB.bytes, bToA.bytes, b.text], [4, 5, "slow"]);
  },
);

testRoutes('halfClose "end": a write that is stuck does not hold it up', async (t) => {
  const [a, b] = t.ends();
  a.stall();
  const joined = t.join(a, b, { halfClose });
  b.send("stuck");
  await a.until(() => a.writes === 1);
  a.finish("last words");
  const ms = await took(async () => assertEquals(why(await joined).reason, "eof"));
  assertLess(ms, AT_MOST_MS + 1000);
  assertEquals(b.text, "last words");
}, { via: "auto" });

testRoutes('halfClose "end": nor does a peer that sends for ever', async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { halfClose });
  a.finish();
  const start = performance.now();
  while (t.settled === 0 && performance.now() - start < 5000) {
    b.send("endless");
    await delay(5);
  }
  assertEquals(why(await joined), { reason: "eof", first: "a" });
  assertLess(performance.now() - start, AT_MOST_MS);
}, SOME);

testRoutes('halfClose "end": what fails after all has passed is no failure', async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { halfClose });
  a.finish("last words");
  await b.called("closeWrite");
  b.failRead(new Error("reset"));
  const result = await joined;
  assertEquals([why(result), result.aToB.bytes], [{ reason: "eof", first: "a" }, 10]);
  assert(!a.ended.includes("abort"), String(a.ended));
});

testRoutes('halfClose "end": what fails before is one', async (t) => {
  const [a, b] = t.ends();
  b.failWrites(new Error("broken"));
  const joined = t.join(a, b, { halfClose });
  a.finish("last words");
  assertEquals(where(await joinError(joined)), ["aToB", "write", "b"]);
});

testRoutes('halfClose "end": an end that cannot half-close is closed with the other', async (t) => {
  const [a, b] = [t.end(), t.end({ halfClose: false })];
  const joined = t.join(a, b, { halfClose });
  a.finish("last words");
  assertLess(await took(() => joined), AT_MOST_MS);
  assertEquals((await joined).ended, "eof");
  assertEquals(b.text, "last words");
  assert(b.ended.includes("close"), String(b.ended));
});

testRoutes('halfClose "end": so is the other with it', async (t) => {
  const [a, b] = [t.end({ halfClose: false }), t.end()];
  const joined = t.join(a, b, { halfClose });
  a.finish("last words");
  assertLess(await took(() => joined), AT_MOST_MS);
  const result = await joined;
  assertEquals([result.ended, why(result)], ["eof", { reason: "eof", first: "a" }]);
  assertEquals([b.text, b.ended.at(-1)], ["last words", "close"]);
});

testRoutes('halfClose "end" and preventClose: both are given back at the first end', async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { halfClose, preventClose: true });
  a.finish("last words");
  assertEquals((await joined).aToB.bytes, 10);
  assertEquals([a.ended, b.ended, b.text], [[], [], "last words"]);
});

testRoutes('halfClose "end": both had ended before', async (t) => {
  const [a, b] = t.ends();
  a.closeReadable();
  b.closeReadable();
  assertEquals((await t.join(a, b, { halfClose })).ended, "eof");
  assertEquals([a.ended, b.ended], [["closeWrite", "close"], ["closeWrite", "close"]]);
}, PAIRS);

testRoutes("maxDuration: it fails, whatever moves", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { maxDuration: 150 });
  const start = performance.now();
  let sent = 0;
  while (t.settled === 0 && performance.now() - start < 5000) {
    a.send(".");
    sent++;
    await delay(5);
  }
  const error = await joinError(joined);
  assert(error.ms >= 140, `${error.ms} ms`);
  assertEquals(why(error), { reason: "duration", first: undefined });
  assertEquals(where(error), [undefined, undefined, undefined]);
  assertInstanceOf(error.cause, DOMException);
  assertEquals(error.cause.name, "TimeoutError");
  assert(error.cause.message.includes("150 ms"), error.cause.message);
  assert(error.aToB.bytes > 0 && error.aToB.bytes <= sent);
  assertTornDown(b, error.cause);
}, SOME);

testRoutes("maxDuration: so does one that is half-closed, or stuck", async (t) => {
  const [a, b] = t.ends();
  a.stall();
  const joined = t.join(a, b, { maxDuration: 100 });
  a.finish();
  b.send("stuck");
  assertEquals(why(await joinError(joined)), { reason: "duration", first: "a" });
}, { kinds: ["conn", BYTES], via: "auto" });

testRoutes("maxDuration: what is over before is not touched by it", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { maxDuration: 10_000 });
  a.finish();
  b.finish();
  assertEquals((await joined).reason, "eof");
});

testRoutes("maxDuration: during a slow close it makes no failure of what has passed", async (t) => {
  const closed = deferred();
  const [a, b] = [t.end({ on: { close: () => closed.promise } }), t.end()];
  const joined = t.join(a, b, { maxDuration: 100 });
  a.finish();
  b.finish();
  assertEquals((await joined).reason, "eof");
  closed.resolve();
}, { via: "auto" });
