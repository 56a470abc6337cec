/** Data channels of pages: what the contract has not. */
import { join, memoryPair, type Pair } from "@webstreams/join";
import { fromDataChannel } from "@webstreams/join/webrtc";
import { fromWebSocket, type WebSocketLike } from "@webstreams/join/websocket";
import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { type Runtime, test } from "../../harness.ts";
import { hashOf } from "../../support/parcels.ts";
import { FarEnd } from "../../peer/far_end.ts";
import { DataChannelWire } from "../../peer/wires/data_channel.ts";
import { PairWire } from "../../peer/wires/memory.ts";
import { delay, rejection } from "../../support/async.ts";
import { bytes, text } from "../../support/bytes.ts";
import { joinError } from "../../support/errors.ts";
import { untyped } from "../../support/untyped.ts";
import { channelTo, connectionOfPage } from "../../support/webrtc.ts";
import type { DataChannel } from "../../support/webrtc.d.ts";

const on: readonly Runtime[] = ["chromium", "firefox"];
const MIB = 1024 * 1024;

test("fromDataChannel: one that is closed before it has opened", { on }, async () => {
  const connection = connectionOfPage();
  const channel = connection.createDataChannel("test");
  const failed = joinError(join(fromDataChannel(channel), memoryPair()[0]));
  channel.close();
  const { end, reason, cause } = await failed;
  assertEquals([end, reason], ["a", "unreachable"], String(cause));
  connection.close();
});

test("fromDataChannel: one that is closed is refused", { on }, () => {
  const connection = connectionOfPage();
  const channel = connection.createDataChannel("test");
  channel.close();
  const error = assertThrows(() => fromDataChannel(channel), TypeError);
  assertStringIncludes(error.message, "'channel' must be open or connecting: got ");
  connection.close();
});

test("fromDataChannel: one that reorders or loses messages is refused", { on }, () => {
  const connection = connectionOfPage();
  for (const init of [{ ordered: false }, { maxRetransmits: 0 }, { maxPacketLifeTime: 1000 }]) {
    const channel = connection.createDataChannel("test", init);
    const error = assertThrows(() => fromDataChannel(channel), TypeError);
    assertStringIncludes(error.message, "'channel' must be ordered, and lose nothing");
  }
  connection.close();
});

test("a data channel as it is, or as a WebSocket, is refused, and named its adapter", {
  on,
}, async () => {
  const connection = connectionOfPage();
  const channel = connection.createDataChannel("test");
  const errors = [
    await rejection(join(untyped<Pair>(channel), memoryPair()[0])),
    assertThrows(() => fromWebSocket(untyped<WebSocketLike>(channel))),
  ];
  for (const error of errors) {
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, "fromDataChannel() of '@webstreams/join/webrtc'");
  }
  connection.close();
});

/** Two joined ends, and what is at their other sides. */
function joinedChannels() {
  const [[a, near], [b, far]] = [memoryPair(), memoryPair()];
  const { here, accepted, connections, close } = channelTo((there) =>
    join(fromDataChannel(there), b)
  );
  const first = join(fromDataChannel(here), a);
  return { near, far, first, second: accepted, connections, close };
}

test("a connection may be closed once its join has settled, and nothing is lost", {
  on,
}, async () => {
  for (const closer of [0, 1]) {
    const { near, far, first, second, connections, close } = joinedChannels();
    const there = { bytes: 4 * MIB + 1, seed: 1 };
    const back = { bytes: 2 * MIB + 1, seed: 2 };
    const ends = [new FarEnd(new PairWire(near)), new FarEnd(new PairWire(far))];
    await Promise.all([
      ...[first, second].map((joined, at) => joined.then(() => connections[at].close())),
      ends[closer].send(there).then(() => ends[closer].finish()),
      ends[1 - closer].send(back).then(() => ends[1 - closer].finish()),
    ]);
    const got = await Promise.all(ends.map((end) => end.until({ ended: true })));
    assertEquals(got.map(({ ended }) => ended.how), ["eof", "eof"]);
    assertEquals([got[1 - closer].hash, got[closer].hash], [hashOf(there), hashOf(back)]);
    await close();
  }
});

/** An end, and the raw other side of its channel. */
async function open(options: Parameters<typeof fromDataChannel>[1] = {}) {
  const messages: unknown[] = [];
  const { here, accepted, close } = channelTo((there) => {
    there.binaryType = "arraybuffer";
    there.addEventListener("message", ({ data }) => messages.push(data));
    return there;
  });
  const end = fromDataChannel(here, options);
  const there = await accepted;
  // In the turn in which it is announced, Chromium 156 may lose what it sends.
  await delay(0);
  await until(() => here.readyState === "open" && there.readyState === "open");
  return { end, here, there, messages, close };
}

/** Looks, as there is no event for it. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 2000) throw new Error(`Waited in vain for ${holds}`);
    await delay(5);
  }
}

test("fromDataChannel: no message is larger than maxFrame", { on }, async () => {
  for (const [options, largest] of [[{}, 16_384], [{ maxFrame: 1000 }, 1000]] as const) {
    const { here, accepted, close } = channelTo((there) => new DataChannelWire(there));
    const { writable } = fromDataChannel(here, options);
    const far = new FarEnd(await accepted);
    await writable.getWriter().write(new Uint8Array(100_000));
    assertEquals((await far.until({ received: 100_000 })).largest, largest);
    await far.dispose();
    await close();
  }
});

test("fromDataChannel: a peer that is not framed is told from one that is", { on }, async () => {
  for (const message of [new Uint8Array(10), "hello", "end", "ack", "bye"]) {
    const { end, there, close } = await open();
    const failed = joinError(join(end, memoryPair()[0]));
    there.send(message);
    const { cause, end: which, side } = await failed;
    assertEquals([which, side], ["a", "read"]);
    assertStringIncludes(String(cause), "The peer is no fromDataChannel() that is framed: got ");
    await until(() => there.readyState === "closed");
    await close();
  }
});

test(
  "fromDataChannel: a framed peer that sends more than it may fails the join",
  { on },
  async () => {
    const { end, there, messages, close } = await open({ maxBuffered: 1000 });
    await until(() => messages.length > 0);
    assertEquals(messages, ["1000"]);
    // Nobody reads the memory pair.
    const failed = joinError(join(end, memoryPair({ capacity: 1 })[0]));
    there.send("0");
    // One is read, and waits to be written; what it leaves room for is the second.
    for (let sent = 0; sent < 3; sent++) there.send(new Uint8Array(1000));
    const { end: which, reason, cause } = await failed;
    assertEquals([which, reason], ["a", "limit"], String(cause));
    await close();
  },
);

test("fromDataChannel: what is read makes room for as much again", { on }, async () => {
  const { end, there, messages, close } = await open({ maxBuffered: 1000 });
  const reader = end.readable.getReader();
  there.send("0");
  for (let total = 1000; total < 5000; total += 500) {
    // The first time, it is said again as the peer's first has come.
    await until(() => messages.at(-1) === `${total}`);
    there.send(new Uint8Array(500));
    assertEquals((await reader.read()).value?.length, 500);
  }
  await close();
});

test("fromDataChannel: a join has settled once the peer needs nothing more", { on }, async () => {
  const { end, there, messages, close } = await open();
  const [near, other] = memoryPair();
  const local = new FarEnd(new PairWire(other));
  let settled = false;
  const joined = join(end, near).finally(() => settled = true);
  there.send("0");
  await local.finish();
  await until(() => messages.includes("end"));
  there.send("ack");
  there.send("end");
  // Its `ack` may be on its way still: a connection that is closed now would take it along.
  await until(() => messages.includes("bye"));
  await delay(50);
  assertEquals(settled, false);
  there.send("bye");
  assertEquals((await joined).ended, "eof");
  await until(() => there.readyState === "closed");
  assertEquals(messages.slice(-3), ["end", "ack", "bye"]);
  await close();
});

test("fromDataChannel, unframed: too much unread fails the join, the bytes are those sent", {
  on,
}, async () => {
  const { end, there, messages, close } = await open({ framed: false, maxBuffered: 1000 });
  const writer = end.writable.getWriter();
  await writer.write(bytes("hello"));
  await until(() => messages.length > 0);
  assertEquals(messages.map((data) => text(new Uint8Array(data as ArrayBuffer))), ["hello"]);
  writer.releaseLock();
  const failed = joinError(join(end, memoryPair({ capacity: 1 })[0]));
  for (let sent = 0; sent < 3; sent++) there.send(new Uint8Array(1000));
  const { end: which, reason, cause } = await failed;
  assertEquals([which, reason], ["a", "limit"], String(cause));
  await close();
});

test("fromDataChannel, unframed: a close ends both directions, whatever it was for", {
  on,
}, async () => {
  const { end, there, close } = await open({ framed: false });
  assertEquals(end.halfClose, false);
  const [near, other] = memoryPair();
  const local = new FarEnd(new PairWire(other));
  const joined = join(end, near);
  there.send(new Uint8Array(1000));
  await local.until({ received: 1000 });
  there.close();
  assertEquals((await local.until({ ended: true })).ended.how, "eof");
  await local.finish();
  assertEquals((await joined).ended, "eof");
  await close();

  const aborted = await open({ framed: false });
  const events: string[] = [];
  for (const type of ["error", "close"]) {
    aborted.there.addEventListener(type, () => events.push(type));
  }
  const controller = new AbortController();
  const failed = rejection(join(aborted.end, memoryPair()[0], { signal: controller.signal }));
  controller.abort(new Error("enough"));
  await failed;
  await until(() => events.length > 0);
  assertEquals(events, ["close"]);
  await aborted.close();
});

test("fromDataChannel, unframed: the peer gets all of it before the close", { on }, async () => {
  const { here, accepted, close } = channelTo((there) => new DataChannelWire(there, false));
  const far = new FarEnd(await accepted);
  const [near, other] = memoryPair();
  const local = new FarEnd(new PairWire(other));
  const joined = join(fromDataChannel(here, { framed: false }), near, { halfCloseTimeout: 200 });
  const much = { bytes: 100_000, seed: 1 };
  await local.send(much);
  await far.until({ received: much.bytes });
  await local.finish();
  assertEquals((await joined).ended, "timeout");
  const { hash, ended } = await far.until({ ended: true });
  assertEquals([hash, ended.how], [hashOf(much), "eof"]);
  await Promise.all([far.dispose(), local.dispose()]);
  await close();
});

test("fromDataChannel, unframed: text is read as UTF-8, a close is the end of file", {
  on,
}, async () => {
  const { end, there, close } = await open({ framed: false });
  there.send("grüß ");
  there.send("dich");
  const reader = end.readable.getReader();
  let read = "";
  while (read.length < 9) read += text((await reader.read()).value!);
  assertEquals(read, "grüß dich");
  there.close();
  assertEquals((await reader.read()).done, true);
  await close();
});

test("fromDataChannel leaves no listener behind", { on }, async () => {
  for (const how of ["eof", "abort", "reset"]) {
    const { here, accepted, close } = channelTo((there) => new DataChannelWire(there));
    const listeners = countListeners(here);
    const end = fromDataChannel(here);
    assertEquals(listeners() > 0, true);
    const far = new FarEnd(await accepted);
    const [near, other] = memoryPair();
    const local = new FarEnd(new PairWire(other));
    const controller = new AbortController();
    const joined = join(end, near, { signal: controller.signal });
    await local.send({ bytes: 10 });
    await far.until({ received: 10 });
    if (how === "abort") controller.abort();
    else if (how === "reset") await far.reset();
    else await Promise.all([far.finish(), local.finish()]);
    await joined.catch(() => {});
    assertEquals(listeners(), 0, how);
    await far.dispose();
    await local.dispose();
    await close();
  }
});

function countListeners(channel: DataChannel): () => number {
  const added = new Set<unknown>();
  const { addEventListener, removeEventListener } = channel;
  channel.addEventListener = (type, listener) => {
    added.add(`${type} ${listener}`);
    addEventListener.call(channel, type, listener);
  };
  channel.removeEventListener = (type, listener) => {
    added.delete(`${type} ${listener}`);
    removeEventListener.call(channel, type, listener);
  };
  return () => added.size;
}
