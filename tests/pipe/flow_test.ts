/**
 * ReadableStreamPipeTo, step 15, "Backpressure must be enforced", and what passes.
 *
 * @module
 */
import { pipe } from "@webstreams/join";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "../harness.ts";
import { follow, Rig, rule, settle, UNBOUNDED } from "./helpers.ts";
import { macrotask, rejection } from "../support/async.ts";
import {
  ABORTS_LATE,
  IGNORES_ERRORING,
  PIPES_PAST_IDENTITY,
  READY_WITHOUT_ROOM,
  SIZED_WHEN_ERRORING,
} from "../support/deviations.ts";
import { WITH_BYTE_STREAMS } from "../support/environment.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

for (const mark of [1, 2, 3, 7]) {
  rule(
    `a sink with a mark of ${mark} is given ${mark} while its first write hangs (backpressure)`,
    async (pipe) => {
      const rig = new Rig({ chunks: numbers(10), mark, hold: true });
      const outcome = follow(pipe(rig.source, rig.sink, { preventCancel: true }));
      await settle();
      assertEquals(rig.calls, [["write", 0]]);
      // What it has not read is still in the source, what it has read is in the sink's queue.
      assertEquals(rig.input.desiredSize, mark - 10);
      assertEquals(outcome.state, "pending");
      rig.output.error("over");
      rig.writes[0].resolve();
      await settle();
      assertEquals(outcome, { state: "rejected", reason: "over" });
      assertEquals(await rig.left(), numbers(10).slice(mark));
    },
  );
}

test("consumesOnWrite waits for no write of a chunk that is the sink's for good", async () => {
  const rig = new Rig({ chunks: numbers(10), mark: 3, hold: true });
  const outcome = follow(pipe(rig.source, rig.sink, { consumesOnWrite: true }));
  await settle();
  assertEquals(rig.input.desiredSize, 3 - 10);
  rig.output.error("over");
  rig.writes[0].resolve();
  await settle();
  assertEquals(outcome, { state: "rejected", reason: "over" });
});

rule(
  "a sink with a mark of 0 never has a read done for it (backpressure: desiredSize <= 0)",
  { except: READY_WITHOUT_ROOM },
  async (pipe) => {
    const rig = new Rig({ chunks: ["a", "b"], mark: 0 });
    const outcome = follow(pipe(rig.source, rig.sink, { preventCancel: true }));
    await settle();
    assertEquals(rig.calls, []);
    assertEquals(rig.pulls, 0);
    assertEquals(outcome.state, "pending");
    rig.output.error("over");
    await settle();
    assertEquals(outcome, { state: "rejected", reason: "over" });
    assertEquals(await rig.left(), ["a", "b"]);
  },
);

rule(
  "pull is not called while the sink has no room (backpressure)",
  { except: READY_WITHOUT_ROOM },
  async (pipe) => {
    const rig = new Rig({ mark: 0 });
    const done = pipe(rig.source, rig.sink);
    await settle();
    assertEquals(rig.pulls, 0);
    rig.input.close();
    await done;
  },
);

rule("pull is called at once where the sink has room (backpressure: not delayed)", async (pipe) => {
  const rig = new Rig({ mark: 1 });
  const done = pipe(rig.source, rig.sink);
  await settle();
  assertEquals(rig.pulls, 1);
  rig.input.close();
  await done;
});

rule("a negative desiredSize is no room either (backpressure)", async (pipe) => {
  const rig = new Rig({ chunks: [4, 1], mark: 3, size: Number, hold: true });
  const done = pipe(rig.source, rig.sink);
  await settle();
  assertEquals(rig.input.desiredSize, -1);
  rig.writes[0].resolve();
  await settle();
  assertEquals(rig.calls, [["write", 4], ["write", 1]]);
  rig.writes[1].resolve();
  rig.input.close();
  await done;
});

rule("as much is read as fits by the sink's own measure (backpressure)", async (pipe) => {
  const rig = new Rig({ chunks: [1, 2, 3, 4, 5], mark: 6, size: Number, hold: true });
  const outcome = follow(pipe(rig.source, rig.sink, { preventCancel: true }));
  await settle();
  // 1 + 2 leaves room for 3 more; 1 + 2 + 3 leaves none.
  assertEquals(rig.input.desiredSize, -2);
  rig.writes[0].resolve();
  await settle();
  assertEquals(rig.input.desiredSize, -1);
  rig.output.error("over");
  rig.writes[1].resolve();
  await settle();
  assertEquals(outcome, { state: "rejected", reason: "over" });
});

rule("chunks without a size never fill a sink (backpressure)", async (pipe) => {
  const rig = new Rig({ chunks: numbers(20), mark: 1, size: () => 0, hold: true });
  const done = pipe(rig.source, rig.sink);
  await settle();
  // It may let others run in between.
  while (rig.input.desiredSize! < 0) await macrotask();
  rig.input.close();
  for (let index = 0; index < 20; index++) {
    rig.writes[index].resolve();
    await macrotask();
  }
  await done;
  assertEquals(rig.calls.length, 21);
});

rule("every write that settles makes room for one read (backpressure)", async (pipe) => {
  const rig = new Rig({ chunks: numbers(6), closed: true, mark: 3, hold: true });
  const done = pipe(rig.source, rig.sink);
  for (const index of numbers(6)) {
    await settle();
    assertEquals(rig.calls.length, index + 1);
    assertEquals(rig.calls[index], ["write", index]);
    rig.writes[index].resolve();
  }
  await done;
  assertEquals(rig.calls[6], ["close"]);
});

rule("a mark of Infinity takes everything there is (backpressure: not delayed)", async (pipe) => {
  const rig = new Rig({ chunks: numbers(20), mark: UNBOUNDED, hold: true });
  const done = pipe(rig.source, rig.sink);
  await settle();
  // It may let others run in between.
  while (rig.input.desiredSize! < 0) await macrotask();
  assertEquals(rig.calls.length, 1);
  for (let index = 0; index < 20; index++) {
    rig.writes[index].resolve();
    await macrotask();
  }
  rig.input.close();
  await done;
});

rule(
  "a chunk that comes while a write hangs is taken if there is room (not delayed)",
  async (pipe) => {
    const rig = new Rig({ chunks: ["a"], mark: 2, hold: true });
    const done = pipe(rig.source, rig.sink);
    await settle();
    rig.input.enqueue("b");
    rig.input.enqueue("c");
    await settle();
    assertEquals(rig.input.desiredSize, -1);
    assertEquals(rig.calls, [["write", "a"]]);
    rig.input.close();
    for (const write of [0, 1, 2]) {
      rig.writes[write].resolve();
      await settle();
    }
    await done;
    assertEquals(rig.calls, [["write", "a"], ["write", "b"], ["write", "c"], ["close"]]);
  },
);

rule("a sink that was full before is waited for (backpressure)", async (pipe) => {
  const rig = new Rig({ chunks: ["b"], hold: true });
  const writer = rig.sink.getWriter();
  const first = writer.write("a");
  // workerd forgets a write that has not begun.
  await settle();
  writer.releaseLock();
  const outcome = follow(pipe(rig.source, rig.sink));
  await settle();
  assertEquals(rig.calls, [["write", "a"]]);
  assertEquals(rig.input.desiredSize, -1);
  rig.input.close();
  rig.writes[0].resolve();
  await first;
  await settle();
  assertEquals(rig.calls, [["write", "a"], ["write", "b"]]);
  assertEquals(outcome.state, "pending");
  rig.writes[1].resolve();
  await settle();
  assertEquals(outcome.state, "fulfilled");
});

rule(
  "a sink that starts late is given its chunks up to the mark before (not delayed)",
  async (pipe) => {
    let start = () => {};
    const started = new Promise<void>((resolve) => start = resolve);
    const rig = new Rig({ chunks: ["a", "b", "c"], closed: true, mark: 2, onStart: () => started });
    const done = pipe(rig.source, rig.sink);
    await settle();
    assertEquals(rig.calls, []);
    start();
    await done;
    assertEquals(rig.calls, [["write", "a"], ["write", "b"], ["write", "c"], ["close"]]);
  },
);

rule(
  "nothing is read while the sink is erroring: desiredSize is null (backpressure)",
  { brokenOn: IGNORES_ERRORING },
  async (pipe) => {
    const rig = new Rig({ chunks: ["a"], mark: 1, hold: true });
    const outcome = follow(pipe(rig.source, rig.sink, { preventCancel: true }));
    await settle();
    rig.output.error("sink");
    rig.input.enqueue("b");
    await settle();
    assertEquals(outcome.state, "pending");
    assertEquals(rig.calls, [["write", "a"]]);
    rig.writes[0].resolve();
    await settle();
    assertEquals(outcome, { state: "rejected", reason: "sink" });
    assertEquals(await rig.left(), ["b"]);
  },
);

rule("no read is begun while the sink is erroring, after one that waited (backpressure)", {
  // These read on: all of it is lost.
  brokenOn: ["deno", "node24", "node26"],
  except: SIZED_WHEN_ERRORING,
}, async (pipe) => {
  const rig = new Rig({ chunks: ["a"], mark: 3, hold: true });
  const outcome = follow(pipe(rig.source, rig.sink, { preventCancel: true }));
  await settle();
  rig.output.error("sink");
  // The read that waits takes the first; the standard does not call it back.
  for (const chunk of ["b", "c", "d"]) {
    rig.input.enqueue(chunk);
    await settle();
  }
  rig.writes[0].resolve();
  await settle();
  assertEquals(outcome, { state: "rejected", reason: "sink" });
  assertEquals((await rig.left()).slice(-2), ["c", "d"]);
});

rule("a sink's write is never entered from within the source's enqueue", {
  // Deno and Node 20 and 22 call the sink's write while enqueue() is still running.
  brokenOn: ["deno", "node20", "node22"],
}, async (pipe) => {
  const rig = new Rig();
  const done = pipe(rig.source, rig.sink);
  await settle();
  rig.input.enqueue("a");
  assertEquals(rig.calls, []);
  rig.input.close();
  await done;
  assertEquals(rig.calls, [["write", "a"], ["close"]]);
});

rule("chunks arrive whole, once and in order", async (pipe) => {
  const chunks = numbers(5000);
  const rig = new Rig({ chunks, closed: true, mark: 16 });
  await pipe(rig.source, rig.sink);
  assertEquals(rig.calls, [...chunks.map((chunk) => ["write", chunk] as const), ["close"]]);
});

rule("any chunk passes as it is", async (pipe) => {
  const chunks = [
    ...[undefined, null, true, false, 0, -0, NaN, 1n, "", "text", Symbol("chunk")],
    ...[{}, [], () => {}, new Date(), new Error("chunk"), new ArrayBuffer(3)],
    ...[new Uint8Array(2), new Uint16Array(2), new DataView(new ArrayBuffer(4))],
    ...[new Uint8Array(0), Object.freeze({}), Object.create(null), new Proxy({}, {})],
  ];
  const rig = new Rig({ chunks, closed: true });
  await pipe(rig.source, rig.sink);
  const written = rig.calls.slice(0, -1);
  assertEquals(written.length, chunks.length);
  written.forEach(([, chunk], index) => assertStrictEquals(chunk, chunks[index]));
});

rule("a chunk that is a promise, or has a 'then', is not waited for", async (pipe) => {
  let asked = 0;
  const thenable = { then: () => asked++ };
  const pending = new Promise(() => {});
  const rejected = Promise.reject(new Error("chunk"));
  rejected.catch(() => {});
  const chunks = [thenable, pending, rejected];
  const rig = new Rig({ chunks, closed: true });
  await pipe(rig.source, rig.sink);
  assertEquals(asked, 0);
  chunks.forEach((chunk, index) => assertStrictEquals(rig.calls[index][1], chunk));
});

rule("a chunk's properties are not looked at", async (pipe) => {
  const chunk = new Proxy({}, {
    get(_, name) {
      throw new Error(`read ${String(name)}`);
    },
  });
  const rig = new Rig({ chunks: [chunk], closed: true });
  await pipe(rig.source, rig.sink);
  assertStrictEquals(rig.calls[0][1], chunk);
});

rule("a size() of the sink's that throws errors the sink, and is cancelled back", async (pipe) => {
  const error = new Error("size");
  const rig = new Rig({
    chunks: ["a", "b"],
    size: () => {
      throw error;
    },
  });
  assertStrictEquals(await rejection(pipe(rig.source, rig.sink)), error);
  assertEquals(rig.calls, [["cancel", error]]);
});

rule("a byte source arrives whole", { on: WITH_BYTE_STREAMS }, async (pipe) => {
  const sent = Array.from({ length: 20 }, (_, index) => new Uint8Array(index * 100).fill(index));
  let next = 1;
  const source = new ReadableStream({
    type: "bytes",
    pull(controller) {
      controller.enqueue(sent[next++].slice());
      if (next === sent.length) controller.close();
    },
  });
  const received: number[] = [];
  const sink = new WritableStream<Uint8Array>({ write: (chunk) => void received.push(...chunk) });
  await pipe(source, sink);
  assertEquals(received, sent.flatMap((chunk) => [...chunk]));
});

rule("two pipes in a row pass through a TransformStream", async (pipe) => {
  const rig = new Rig({ chunks: ["a", "b", "c"], closed: true });
  const upper = new TransformStream<unknown, unknown>({
    transform: (chunk, controller) => controller.enqueue(String(chunk).toUpperCase()),
  });
  await Promise.all([pipe(rig.source, upper.writable), pipe(upper.readable, rig.sink)]);
  assertEquals(rig.calls, [["write", "A"], ["write", "B"], ["write", "C"], ["close"]]);
});

// Node, Bun and the browsers agree with the standard; https://github.com/whatwg/streams/issues/1158 regrets it.
rule(
  "a transform without room on either side is never read for (backpressure)",
  { brokenOn: [...PIPES_PAST_IDENTITY, ...ABORTS_LATE], except: READY_WITHOUT_ROOM },
  async (pipe) => {
    const none = { highWaterMark: 0 };
    const identity = new TransformStream<unknown, unknown>({}, none, none);
    const rig = new Rig({ chunks: ["a"] });
    const controller = new AbortController();
    const options = { signal: controller.signal, preventCancel: true };
    const outcome = follow(pipe(rig.source, identity.writable, options));
    const reader = identity.readable.getReader();
    const read = follow(reader.read());
    await settle();
    assertEquals([outcome.state, read.state], ["pending", "pending"]);
    controller.abort(new Error("enough"));
    await settle();
    assertEquals([outcome.state, read.state], ["rejected", "rejected"]);
    assertEquals(await rig.left(), ["a"]);
  },
);

rule("a source can be piped on where an earlier pipe has left it", async (pipe) => {
  const rig = new Rig({ chunks: ["a", "b", "c"], closed: true, mark: 1, hold: true });
  const first = follow(pipe(rig.source, rig.sink, { preventCancel: true }));
  await settle();
  rig.writes[0].reject("full");
  await settle();
  assertEquals(first, { state: "rejected", reason: "full" });
  const second = new Rig();
  await pipe(rig.source, second.sink);
  assertEquals(second.calls, [["write", "b"], ["write", "c"], ["close"]]);
});

rule("chunks of many sizes fill a sink by their sizes alone (backpressure)", async (pipe) => {
  const sizes = new Map(numbers(10).map((chunk) => [chunk, chunk === 0 ? 1 : 0.01]));
  const rig = new Rig({
    chunks: numbers(10).map((chunk) => new Uint8Array([chunk])),
    mark: 1,
    size: (chunk: unknown) => sizes.get((chunk as Uint8Array)[0])!,
    hold: true,
  });
  const outcome = follow(pipe(rig.source, rig.sink));
  await settle();
  assertEquals(rig.calls.length, 1);
  rig.writes[0].resolve();
  await settle();
  // The sink has been given one more, and has room for all the others.
  assertEquals([rig.calls.length, rig.input.desiredSize], [2, 0]);
  rig.input.close();
  for (let index = 1; index < 10; index++) {
    rig.writes[index].resolve();
    await macrotask();
  }
  await settle();
  assertEquals(outcome.state, "fulfilled");
});
