/** The platforms' own streams depart from the standard just where the other tests make allowance. */
import { assert, assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { follow, pipeTo, Rig, settle } from "../pipe/helpers.ts";
import {
  ABORTS_LATE,
  CLOSED_UNCANCELLED,
  CLOSES_UNREADY,
  FAILS_RELEASED,
  IGNORES_ERRORING,
  NO_INFINITY,
  PIPES_CHUNK_BY_CHUNK,
  PIPES_PAST_IDENTITY,
  READY_WITHOUT_ROOM,
  SIZED_WHEN_ERRORING,
  TEES_ANSWER,
} from "./deviations.ts";
import { platform, runtime, WITH_BYTE_STREAMS } from "./environment.ts";

/** Registers a test of whether these platforms, and no others, do so. */
function departs(how: string, platforms: readonly string[], shows: () => Promise<boolean>): void {
  const here = platforms.includes(platform);
  test(`${platform} ${here ? "departs" : "does not depart"}: ${how}`, async () => {
    assertEquals(await shows(), here);
  });
}

function refused(make: () => unknown): Promise<boolean> {
  try {
    make();
    return Promise.resolve(false);
  } catch {
    return Promise.resolve(true);
  }
}

test("byte streams are where they are expected", async () => {
  const none = await refused(() => new ReadableStream({ type: "bytes" }));
  assertEquals(!none, WITH_BYTE_STREAMS.includes(runtime));
});

departs("pipeTo ends at once if the sink is erroring", IGNORES_ERRORING, async () => {
  const rig = new Rig({ chunks: ["a"], hold: true });
  const outcome = follow(pipeTo(rig.source, rig.sink));
  await settle();
  rig.output.error(new Error("sink"));
  await settle();
  const atOnce = outcome.state === "rejected";
  rig.writes[0].resolve();
  await settle();
  return atOnce;
});

departs("pipeTo goes past an identity transform's room", PIPES_PAST_IDENTITY, async () => {
  const none = { highWaterMark: 0 };
  const identity = new TransformStream({}, none, none);
  const rig = new Rig({ chunks: ["a"], closed: true });
  const outcome = follow(pipeTo(rig.source, identity.writable));
  identity.readable.pipeTo(new WritableStream()).catch(() => {});
  await settle();
  return outcome.state === "fulfilled";
});

departs("pipeTo sees an abort with the next chunk", ABORTS_LATE, async () => {
  const controller = new AbortController();
  const rig = new Rig();
  const outcome = follow(pipeTo(rig.source, rig.sink, { signal: controller.signal }));
  await settle();
  controller.abort();
  await settle();
  const pending = outcome.state === "pending";
  if (!rig.calls.some(([name]) => name === "cancel")) rig.input.enqueue("a");
  await settle();
  assertEquals(outcome.state, "rejected");
  return pending;
});

departs("pipeTo reads a chunk once the last is written", PIPES_CHUNK_BY_CHUNK, async () => {
  const rig = new Rig({ chunks: ["a", "b"], mark: 2, hold: true });
  const outcome = follow(pipeTo(rig.source, rig.sink));
  await settle();
  const left = -rig.input.desiredSize!;
  rig.output.error(new Error("over"));
  rig.writes[0].resolve();
  await settle();
  rig.writes[1]?.resolve();
  await settle();
  assert(outcome.state !== "pending");
  return left > 0;
});

departs("a sink without room is ready", READY_WITHOUT_ROOM, async () => {
  const writer = new Rig({ mark: 0 }).sink.getWriter();
  const ready = follow(writer.ready);
  await settle();
  return ready.state === "fulfilled";
});

departs("an erroring sink has a desiredSize", SIZED_WHEN_ERRORING, async () => {
  const rig = new Rig({ hold: true });
  const writer = rig.sink.getWriter();
  const outcomes = [writer.write("a"), writer.closed, writer.ready].map(follow);
  await settle();
  rig.output.error(new Error("sink"));
  await settle();
  const { desiredSize } = writer;
  rig.writes[0].resolve();
  await settle();
  assertEquals(outcomes[1].state, "rejected");
  return desiredSize !== null;
});

departs("an abort fails what was written with another error", FAILS_RELEASED, async () => {
  const reason = new Error("reason");
  const { sink } = new Rig();
  const writer = sink.getWriter();
  const [written] = [writer.write("a"), writer.close()].map(follow);
  writer.releaseLock();
  await sink.abort(reason);
  await settle();
  assertEquals(written!.state, "rejected");
  return !("reason" in written!) || written.reason !== reason;
});

departs(
  "a new writer of a full sink that is to be closed is not ready",
  CLOSES_UNREADY,
  async () => {
    const rig = new Rig({ hold: true });
    const writer = rig.sink.getWriter();
    const outcomes = [writer.write("a"), writer.close()].map(follow);
    await settle();
    writer.releaseLock();
    const ready = follow(rig.sink.getWriter().ready);
    await settle();
    const { state } = ready;
    rig.writes[0].resolve();
    await settle();
    assertEquals(outcomes, Array(2).fill({ state: "fulfilled" }));
    return state === "pending";
  },
);

departs(
  "cancel() does not reach a source closed with chunks left",
  CLOSED_UNCANCELLED,
  async () => {
    const rig = new Rig({ chunks: ["a"], closed: true });
    await rig.source.cancel();
    return rig.calls.length === 0;
  },
);

departs("Infinity is no high-water mark", NO_INFINITY, () => {
  return refused(() => new WritableStream({}, { highWaterMark: Infinity }));
});

if (WITH_BYTE_STREAMS.includes(runtime)) {
  departs("a teed byte stream answers a BYOB read as its source closes", TEES_ANSWER, async () => {
    const readable = new ReadableStream({ type: "bytes", pull: (its) => its.close() });
    const [a, b] = readable.tee();
    const reads = [a, b].map((branch) => {
      return follow(branch.getReader({ mode: "byob" }).read(new Uint8Array(1)));
    });
    await settle();
    return reads.every(({ state }) => state === "fulfilled");
  });
}
