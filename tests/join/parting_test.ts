/** What is still done for both ends once a write to one has failed: its last words, and a lingering close. */
import { join, type JoinError, type Pair } from "@webstreams/join";
import {
  assert,
  assertEquals,
  assertFalse,
  assertGreaterOrEqual,
  assertLess,
  assertStrictEquals,
} from "@std/assert";
import { test } from "../harness.ts";
import { deferred, delay, rejection, took, turns } from "../support/async.ts";
import { bytes } from "../support/bytes.ts";
import { WITH_BYTE_STREAMS } from "../support/environment.ts";
import { assertTornDown, failsBy, where } from "../support/errors.ts";
import type { FakeEnd } from "../support/fake_end.ts";
import { CONNS, PAIRS, SOME, testRoutes, type Trial } from "../support/routes.ts";

const cause = new Error("broken pipe");
/** Well below the second that is waited for, on a busy machine. */
const AT_ONCE_MS = 700;
const ONE: typeof SOME = { kinds: ["conn"], via: "auto" };

/** A write to `b` has failed; `b` has said nothing yet. */
async function writeFailed(
  t: Trial,
  [a, b]: [FakeEnd, FakeEnd],
  options?: Parameters<Trial["join"]>[2],
  error: Error = cause,
) {
  b.failWrites(error);
  const joined = t.join(a, b, options);
  a.send("question");
  await b.until(() => b.writes === 1);
  await turns();
  return { joined };
}

/** It was closed as after success. */
function assertServed(end: FakeEnd): void {
  const { calls } = end;
  assertEquals(end.ended.filter((name) => name !== "cancel"), ["closeWrite", "close"]);
  assertEquals(calls.at(-1)?.args.filter((reason) => reason !== undefined), []);
}

testRoutes("after a failed write what that end has sent is delivered", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [a, b]);
  b.send("first ");
  await a.got("first ");
  b.finish("last");
  await a.called("closeWrite");
  assertEquals(a.text, "first last");
  a.finish();
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["aToB", "write", "b"]);
  assertEquals([error.other, error.bToA.bytes], [undefined, 10]);
  // `pipeTo` counts what is on its way as well.
  if (t.route.via === "auto") assertEquals(error.aToB.bytes, 0);
  assertServed(a);
  assertTornDown(b, cause, { readOver: true, writeOver: true });
});

testRoutes("... and so it is with the ends in the other order", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [b, a]);
  a.finish("answer");
  await b.called("closeWrite");
  b.finish();
  await failsBy(cause, joined);
  assertEquals(b.text, "answer");
});

testRoutes("... also if closing its writing has failed", async (t) => {
  const on = { closeWrite: () => Promise.reject(cause) };
  const [a, b] = [t.end(), t.end({ on })];
  const joined = t.join(a, b);
  a.finish("question");
  await b.called("closeWrite");
  b.finish("answer");
  const error = await failsBy(cause, joined);
  assertEquals([where(error), a.text], [["aToB", "write", "b"], "answer"]);
  assertServed(a);
});

testRoutes("... also what has ended before, and is still on its way", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  a.onWrite = () => write.promise;
  b.finish("answer");
  const { joined } = await writeFailed(t, [a, b]);
  assertEquals(a.ended, []);
  write.resolve();
  await a.called("closeWrite");
  a.finish();
  await failsBy(cause, joined);
  assertEquals(a.text, "answer");
});

testRoutes("the last words are waited for until a second of silence", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [a, b]);
  const start = performance.now();
  const ms = await took(async () => {
    for (const word of ["one ", "two ", "three"]) {
      await delay(600);
      b.send(word);
    }
    await failsBy(cause, joined);
  });
  assertEquals(a.text, "one two three");
  assertGreaterOrEqual(performance.now() - start, 2600);
  assertLess(ms, 5000);
  assertTornDown(a, cause);
}, SOME);

testRoutes("... not while they cannot be delivered", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const { joined } = await writeFailed(t, [a, b]);
  a.stall();
  b.finish("answer");
  assertLess(await took(() => failsBy(cause, joined)), 2500);
  assertTornDown(a, cause, { writeOver: true });
}, SOME);

testRoutes("the signal ends that wait at once", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const { joined } = await writeFailed(t, [a, b]);
  const reason = new Error("enough");
  t.controller.abort(reason);
  assertLess(
    await took(async () => assertStrictEquals(await rejection(joined), reason)),
    AT_ONCE_MS,
  );
  assertTornDown(a, reason);
  assertTornDown(b, reason, { writeOver: true });
});

testRoutes("an idleTimeout does so, too", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [a, b], { idleTimeout: 50 });
  assertLess(await took(() => failsBy(cause, joined)), AT_ONCE_MS);
}, ONE);

testRoutes("what the other end still sends is dropped before it is closed", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [a, b]);
  b.finish("answer");
  await a.called("closeWrite");
  a.send("more of the question");
  await a.taken();
  await turns();
  assertEquals([t.settled, a.ended], [0, ["closeWrite"]]);
  a.finish("and more");
  const { aToB, bToA } = await failsBy(cause, joined);
  assertEquals([bToA.bytes, b.writes], [6, 1]);
  if (t.route.via === "auto") assertEquals(aToB.bytes, 0);
  assertServed(a);
});

testRoutes("... for a second of silence", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [a, b]);
  b.finish("answer");
  await a.called("closeWrite");
  const start = performance.now();
  const ms = await took(async () => {
    await delay(600);
    a.send("more of the question");
    await failsBy(cause, joined);
  });
  assertGreaterOrEqual(performance.now() - start, 1500);
  assertLess(ms, 3500);
  assertServed(a);
}, SOME);

testRoutes("... for at most five", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [a, b]);
  b.finish("answer");
  await a.called("closeWrite");
  const typing = setInterval(() => a.send("on and on"), 100);
  const start = performance.now();
  const ms = await took(() => failsBy(cause, joined));
  clearInterval(typing);
  assertGreaterOrEqual(performance.now() - start, 4800);
  assertLess(ms, 8000);
  assertServed(a);
}, ONE);

testRoutes("... and not when the signal aborts: that looks like one", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const { joined } = await writeFailed(t, [a, b]);
  b.finish("answer");
  await a.called("closeWrite");
  await turns();
  const reason = new Error("enough");
  t.controller.abort(reason);
  assertLess(
    await took(async () => assertStrictEquals(await rejection(joined), reason)),
    AT_ONCE_MS,
  );
  assertTornDown(a, reason, { halfClosed: true });
});

testRoutes("... nor when it fails itself", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [a, b]);
  b.finish("answer");
  await a.called("closeWrite");
  a.failRead(new Error("gone"));
  assertLess(await took(() => failsBy(cause, joined)), AT_ONCE_MS);
});

testRoutes("one that cannot half-close is closed, as after success", async (t) => {
  const [a, b] = [t.end({ halfClose: false }), t.end()];
  const { joined } = await writeFailed(t, [a, b]);
  b.finish("last word");
  assertLess(await took(() => failsBy(cause, joined)), AT_ONCE_MS);
  assertEquals(a.text, "last word");
  assertEquals(a.ended.at(-1), "close");
  assertFalse(a.ended.includes("abort"));
  assertEquals(a.calls.at(-1)?.args, []);
});

testRoutes("... also if the last word came long before", async (t) => {
  const [a, b] = [t.end({ halfClose: false }), t.end()];
  b.failWrites(cause);
  const joined = t.join(a, b);
  b.finish("last word");
  await a.got("last word");
  await turns();
  a.send("typing on");
  assertLess(await took(() => failsBy(cause, joined)), AT_ONCE_MS);
  assertFalse(a.ended.includes("abort"));
  assertEquals(a.calls.at(-1)?.args, []);
});

testRoutes("after a reset an end of file is none", async (t) => {
  const reset = Object.assign(new Error("reset by peer"), { code: "ECONNRESET" });
  const [a, b] = t.ends({ abort: true });
  const { joined } = await writeFailed(t, [a, b], undefined, reset);
  b.finish("half an answer");
  await a.got("half an answer");
  await turns();
  a.finish("more of the question");
  const error = await failsBy(reset, joined);
  assertEquals(error.other, { cause: reset, direction: "bToA", side: "read", end: "b" });
  assertTornDown(a, reset, { readOver: true });
});

testRoutes("a failed read ends the last words: no end of file, though it lingers", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const { joined } = await writeFailed(t, [a, b]);
  const second = new Error("as well");
  b.send("half an answer");
  b.failRead(second);
  await a.got("half an answer");
  a.send("more of the question");
  await a.taken();
  await turns();
  assertEquals([t.settled, a.ended], [0, []]);
  a.finish();
  const error = await failsBy(cause, joined);
  assertEquals(error.other, { cause: second, direction: "bToA", side: "read", end: "b" });
  assertEquals(error.bToA.bytes, 14);
  assertTornDown(a, cause, { readOver: true });
});

testRoutes("... as it does if that was the first to fail, in the middle of a write", async (t) => {
  const [a, b] = t.ends({ abort: true });
  b.stall();
  const joined = t.join(a, b);
  b.send("half an answer");
  await a.got("half an answer");
  a.send("question");
  await b.until(() => b.writes === 1);
  b.failRead(cause);
  // Told by then, and long before anybody has listened for long enough.
  for (let microtask = 0; microtask < 50; microtask++) await undefined;
  a.send("more of the question");
  await a.taken();
  await turns();
  assertEquals([t.settled, a.ended], [0, []]);
  a.finish();
  const error = await failsBy(cause, joined);
  assertEquals(where(error), ["bToA", "read", "b"]);
  assertTornDown(a, cause, { readOver: true });
}, { via: "auto" });

testRoutes("after any failed read it is looked whether the other end is sending", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const joined = t.join(a, b);
  a.send("question");
  await b.got("question");
  b.send("half an answer");
  await a.got("half an answer");
  await turns();
  b.failRead(cause);
  // Told by then, and long before anybody has listened for long enough.
  for (let microtask = 0; microtask < 50; microtask++) await undefined;
  a.send("more of the question");
  await a.taken();
  await delay(200);
  assertEquals([t.settled, a.ended], [0, []]);
  a.finish();
  await failsBy(cause, joined);
  assertTornDown(a, cause, { readOver: true });
});

testRoutes("... which is soon over if it is not", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const joined = t.join(a, b);
  a.send("question");
  await b.got("question");
  b.send("half an answer");
  await a.got("half an answer");
  await turns();
  b.failRead(cause);
  assertLess(await took(() => failsBy(cause, joined)), AT_ONCE_MS);
  assertTornDown(a, cause);
});

testRoutes("without a word it does not linger", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const { joined } = await writeFailed(t, [a, b]);
  b.failRead(new Error("as well"));
  assertLess(await took(() => failsBy(cause, joined)), AT_ONCE_MS);
  assertTornDown(a, cause);
});

testRoutes("nor for one that was said 8 MiB ago", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const joined = t.join(a, b);
  b.send("go");
  await a.got("go");
  for (let mebibytes = 1; mebibytes <= 9; mebibytes++) {
    a.send(new Uint8Array(1024 * 1024));
    await b.gotBytes(mebibytes * 1024 * 1024);
  }
  b.failWrites(cause);
  const { writes } = b;
  a.send("one too many");
  await b.until(() => b.writes > writes);
  await turns();
  b.failRead(new Error("as well"));
  assertLess(await took(() => failsBy(cause, joined)), AT_ONCE_MS);
  assertTornDown(a, cause);
}, CONNS);

testRoutes("both writes fail", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [a, b]);
  const second = new Error("as well");
  a.failWrites(second);
  b.send("answer");
  const ms = await took(async () => {
    const { other } = await failsBy(cause, joined);
    assertEquals(other, { cause: second, direction: "bToA", side: "write", end: "a" });
  });
  assertLess(ms, AT_ONCE_MS);
  assertTornDown(a, cause, { writeOver: true });
});

testRoutes("the last words may be more than the limit", async (t) => {
  const [a, b] = t.ends();
  const { joined } = await writeFailed(t, [a, b], { limit: { bToA: 4 } });
  b.finish("four and more");
  await a.got("four");
  a.finish();
  const error = await failsBy(cause, joined);
  assertEquals([error.bToA.bytes, error.other?.direction, error.other?.side], [
    4,
    "bToA",
    undefined,
  ]);
});

testRoutes("preventClose is for success: neither a half-close nor left open", async (t) => {
  const [a, b] = t.ends({ abort: true });
  const { joined } = await writeFailed(t, [a, b], { preventClose: true });
  b.finish("answer");
  await a.got("answer");
  await turns();
  a.finish();
  await failsBy(cause, joined);
  assertTornDown(a, cause, { readOver: true });
});

testRoutes("the streams are unlocked, whoever holds a chunk", async (t) => {
  const [a, b] = t.ends({ highWaterMark: 5 });
  const { joined } = await writeFailed(t, [a, b]);
  a.send("behind it");
  b.finish("answer");
  await a.called("closeWrite");
  a.finish();
  await failsBy(cause, joined);
}, PAIRS);

/** An end whose byte stream closes without answering a read, and one whose writable can be errored. */
function unansweringEnds() {
  let closeUnanswered!: () => void;
  let errorWritable!: (error: unknown) => void;
  let endReadable!: () => void;
  const a: Pair = {
    readable: new ReadableStream({
      type: "bytes",
      start: (controller) => {
        closeUnanswered = () => controller.close();
      },
    }),
    writable: new WritableStream(),
  };
  const b: Pair = {
    readable: new ReadableStream({
      start: (controller) => {
        controller.enqueue(bytes("last words"));
        endReadable = () => controller.close();
      },
    }),
    writable: new WritableStream({
      start: (controller) => {
        errorWritable = (error) => controller.error(error);
      },
    }),
    consumesOnWrite: true,
  };
  let settled = false;
  const joined = join(a, b).finally(() => settled = true);
  joined.catch(() => {});
  /** Before a second of silence is over, and whatever is ready has had its turn. */
  const soon = async () => {
    await delay(100);
    await turns();
    return settled;
  };
  return { closeUnanswered, errorWritable, endReadable, joined, soon };
}

test("an end that closed without answering the read while the other failed is not waited for", {
  on: WITH_BYTE_STREAMS,
}, async () => {
  const { closeUnanswered, errorWritable, endReadable, joined, soon } = unansweringEnds();
  await turns();
  errorWritable(cause);
  await turns();
  closeUnanswered();
  await turns();
  endReadable();
  assert(await soon());
  assertStrictEquals((await rejection(joined) as JoinError).cause, cause);
});

test("... nor one that closed so before the other failed, by any number of microtasks", {
  on: WITH_BYTE_STREAMS,
}, async () => {
  for (let microtasks = 0; microtasks <= 20; microtasks++) {
    const { closeUnanswered, errorWritable, endReadable, joined, soon } = unansweringEnds();
    endReadable();
    await turns();
    closeUnanswered();
    for (let microtask = 0; microtask < microtasks; microtask++) await undefined;
    errorWritable(cause);
    assert(await soon(), `it waits ${microtasks} microtasks after the close`);
    // Each platform's streams take another number of microtasks until both ends have ended.
    const outcome = await joined.then(({ reason }) => reason, (error: JoinError) => error.cause);
    assert(outcome === cause || outcome === "eof", String(outcome));
    if (microtasks === 0) assertStrictEquals(outcome, cause);
  }
});
