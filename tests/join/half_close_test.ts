import { join } from "@webstreams/join";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, turns } from "../support/async.ts";
import { FakeEnd, PAIR_KINDS } from "../support/fake_end.ts";
import { passed } from "../support/outcome.ts";
import { PAIRS, testRoutes } from "../support/routes.ts";

testRoutes("what one end sends, the other gets, both ways at once", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.send("ping");
  await b.got("ping");
  b.send("pong");
  await a.got("pong");
  a.send(" again");
  await b.got("ping again");
  a.finish();
  b.finish();
  assertEquals(passed(await joined), {
    aToB: { bytes: 10, chunks: 2 },
    bToA: { bytes: 4, chunks: 1 },
    ended: "eof",
  });
});

testRoutes("when a has ended, b's writing alone is closed and b still answers", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.finish("question");
  await b.called("closeWrite");
  assertEquals(b.text, "question");
  await turns();
  assertEquals([a.ended, b.ended], [[], ["closeWrite"]]);
  b.send("long ");
  await a.got("long ");
  b.finish("answer");
  assertEquals((await joined).bToA.bytes, 11);
  assertEquals(a.text, "long answer");
});

testRoutes("when b has ended, a's writing alone is closed and a goes on", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  b.finish("greeting");
  await a.called("closeWrite");
  assertEquals(a.text, "greeting");
  await turns();
  assertEquals([a.ended, b.ended], [["closeWrite"], []]);
  a.finish("reply");
  assertEquals((await joined).aToB.bytes, 5);
  assertEquals(b.text, "reply");
});

testRoutes("everything read is written before the other end learns of the end", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b);
  a.finish("slow");
  await b.until(() => b.writes === 1);
  await turns();
  assertEquals(b.ended, []);
  write.resolve();
  await b.called("closeWrite");
  assertEquals(b.text, "slow");
  b.finish();
  await joined;
});

for (const kind of PAIR_KINDS) {
  for (const via of ["auto", "pipeTo"] as const) {
    test(`... though the end shows while it is being written (${kind} to conn, ${via})`, async () => {
      const [a, b] = [new FakeEnd(kind), new FakeEnd("conn")];
      const write = deferred();
      b.onWrite = () => write.promise;
      const joined = join(a.end, b.end, { via });
      a.send("slow");
      await b.until(() => b.writes === 1);
      a.closeReadable();
      await turns();
      assertEquals(b.ended, []);
      write.resolve();
      await b.called("closeWrite");
      assertEquals(b.text, "slow");
      b.finish();
      assertEquals((await joined).aToB, { bytes: 4, chunks: 1 });
    });
  }
}

testRoutes("both directions have ended: each end is closed once, and only then", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.finish();
  await b.called("closeWrite");
  await turns();
  assertEquals(t.settled, 0);
  b.finish();
  const { ended } = await joined;
  assertEquals(ended, "eof");
  await turns();
  const whole = ["closeWrite", "close"];
  assertEquals([a.ended, b.ended], [whole, whole]);
});

testRoutes("after success close() is given no reason", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.finish();
  b.finish();
  await joined;
  for (const end of [a, b]) {
    for (const { name, args } of end.calls) {
      // A writable's underlying `close` takes none, the pair's `close` has an optional one.
      assertStrictEquals(args[0], undefined, name);
    }
  }
});

testRoutes("join waits for the ends to be closed", async (t) => {
  const closed = deferred();
  const a = t.end({ on: { close: () => closed.promise } });
  const b = t.end();
  const joined = t.join(a, b);
  a.finish();
  b.finish();
  await a.called("close");
  await turns();
  assertEquals(t.settled, 0);
  closed.resolve();
  await joined;
});

testRoutes("a readable that was closed before is at its end", async (t) => {
  const [a, b] = t.ends();
  a.closeReadable();
  const joined = t.join(a, b);
  await b.called("closeWrite");
  b.finish("answer");
  assertEquals(passed(await joined), {
    aToB: { bytes: 0, chunks: 0 },
    bToA: { bytes: 6, chunks: 1 },
    ended: "eof",
  });
  assertEquals(a.text, "answer");
}, PAIRS);

testRoutes("both readables were closed before", async (t) => {
  const [a, b] = t.ends();
  a.closeReadable();
  b.closeReadable();
  const { ended } = await t.join(a, b);
  assertEquals(ended, "eof");
  assertEquals([a.ended, b.ended], [["closeWrite", "close"], ["closeWrite", "close"]]);
}, PAIRS);

testRoutes("an end of file while the other direction is stuck in a write", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const joined = t.join(a, b);
  a.send("stuck");
  await b.until(() => b.writes === 1);
  b.finish("done");
  await a.called("closeWrite");
  assertEquals(a.text, "done");
  write.resolve();
  await b.got("stuck");
  a.finish();
  assertEquals((await joined).aToB, { bytes: 5, chunks: 1 });
});

testRoutes("many chunks of many sizes arrive whole and in order, both ways", async (t) => {
  const [a, b] = t.ends({ highWaterMark: 3 });
  const joined = t.join(a, b);
  let sent = "";
  for (let size = 0; size < 60; size++) {
    const chunk = `${size},`.repeat(size + 1);
    sent += chunk;
    a.send(chunk);
    b.send(chunk);
  }
  a.finish();
  b.finish();
  const { aToB, bToA } = await joined;
  assertEquals([a.text, b.text], [sent, sent]);
  assertEquals([aToB.bytes, bToA.bytes], [sent.length, sent.length]);
});
