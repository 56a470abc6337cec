/** What is the message port's own: the other thread is lost, and what can be told of it. */
import { join, memoryPair, pipe } from "@webstreams/join";
import { fromMessagePort } from "@webstreams/join/message_port";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Runtime, runtime, test } from "../harness.ts";
import { rejection, turns } from "../support/async.ts";
import { joinError } from "../support/errors.ts";
import { threaded } from "../support/message_port.ts";
import { untyped } from "../support/untyped.ts";

const on: readonly Runtime[] = ["deno", "bun", "node", "chromium", "firefox"];
/** The others tell of nothing but what the other end says: there it is asked. */
const ping = runtime === "node" || runtime === "bun" ? undefined : 1000;

for (const way of ["closePort", "exit", "terminate", "throw"] as const) {
  // Elsewhere what a worker throws is not its end.
  const where = way === "throw" ? ["deno", "node"] as const : on;
  const title = `fromMessagePort: ${way}: the other thread's loss fails the join`;
  test(title, { on: where }, async () => {
    const { end, peer, terminate, dispose } = await threaded({}, { ping });
    const [other, there] = memoryPair();
    const joined = joinError(join(end, other));
    await peer.send({ bytes: 10 });
    assertEquals((await there.readable.getReader().read()).value?.length, 10);
    if (way === "terminate") await terminate();
    else peer.lose(way);
    const { reason, first, cause, aToB } = await joined;
    assertEquals([reason, first, aToB.bytes], ["reset", "a", 10], String(cause));
    await dispose();
  });
}

test("fromMessagePort: what is written stays the writer's", { on }, async () => {
  const { end, peer, dispose } = await threaded({});
  const chunk = new Uint8Array(100_000).fill(1);
  await pipe(
    new ReadableStream({
      start(controller) {
        controller.enqueue(chunk);
        controller.close();
      },
    }),
    end.writable,
  );
  assertEquals([chunk.length, chunk[99_999]], [100_000, 1]);
  assertEquals((await peer.until({ ended: true })).received, 100_000);
  await dispose();
});

test("fromMessagePort: whoever answers is asked, and not lost", async () => {
  const { port1, port2 } = new MessageChannel();
  // Longer than a busy page leaves messages unread.
  const end = fromMessagePort(port1, { ping: 250 });
  const failed = rejection(end.readable.getReader().read());
  let asked = 0;
  const unanswered: unknown[] = [];
  port2.onmessage = ({ data }) => {
    if (++asked <= 5) port2.postMessage("!");
    else unanswered.push(data);
  };
  const error = await failed as Error & { code: string };
  assertEquals([error.message, error.code], ["The other side does not answer", "ECONNRESET"]);
  // A timer that is late goes off before what was posted is read.
  await turns();
  assertEquals(unanswered, ["?", "?"]);
  end.close?.();
  port2.close();
});

test("fromMessagePort: a failure that cannot be cloned is told in words", { on }, async () => {
  const { end, peer, dispose } = await threaded({});
  const error = Object.assign(new Error("enough"), { code: () => {} });
  await end.writable.abort(error);
  assertEquals((await peer.until({ ended: true })).ended.reason, "Error: enough");
  await dispose();
});

test("fromMessagePort: refuses what is no port, or no option", () => {
  const { port1, port2 } = new MessageChannel();
  for (const value of [undefined, {}, Promise.resolve(port1), { postMessage() {} }]) {
    const { message } = assertThrows(() => fromMessagePort(untyped(value)), TypeError);
    assert(message.includes("'port' must be a MessagePort: got"), message);
  }
  assertThrows(() => fromMessagePort(port1, untyped({ pong: 1 })), TypeError);
  for (const ping of [0, -1, NaN, 2 ** 31]) {
    assertThrows(() => fromMessagePort(port1, { ping }), RangeError);
  }
  port1.close();
  port2.close();
});
