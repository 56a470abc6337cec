import { join, JoinError, memoryPair } from "@webstreams/join";
import {
  fromWebSocket,
  fromWebSocketStream,
  WebSocketCloseError,
  type WebSocketLike,
  type WebSocketStreamLike,
} from "@webstreams/join/websocket";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type Runtime, test } from "../../harness.ts";
import { hashOf } from "../../support/parcels.ts";
import { listen } from "../../peer/client.ts";
import type { RemoteFar } from "../../peer/client.ts";
import type { PeerOptions } from "../../peer/protocol.ts";
import { delay, macrotask, rejection } from "../../support/async.ts";
import { bytes, text } from "../../support/bytes.ts";
import { platform } from "../../support/environment.ts";
import { untyped } from "../../support/untyped.ts";

const MIB = 1024 * 1024;
const { WebSocketStream } = globalThis as {
  WebSocketStream?: new (url: string) => WebSocketStreamLike;
};
/** Node 20 has no WebSocket of its own. */
const here = "WebSocket" in globalThis;

interface Client {
  readonly socket: WebSocket;
  readonly peer: RemoteFar;
}

/** A test with a WebSocket that connects to the peer. */
function testClient(
  name: string,
  body: (client: Client) => Promise<void>,
  { on, ...options }: PeerOptions & { on?: readonly Runtime[] } = {},
): void {
  if (!here) return;
  test(`fromWebSocket: ${name}`, { on }, async () => {
    const peer = await listen("websocket", options);
    const socket = new WebSocket(peer.address.url);
    try {
      await body({ socket, peer });
    } finally {
      await peer.dispose();
      await closed(socket);
    }
  });
}

/** It is gone for good, and nothing of it is left for the sanitizers to see. */
async function closed(socket: WebSocket): Promise<void> {
  while (socket.readyState !== WebSocket.CLOSED) await delay(5);
}

async function opened(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.OPEN) return;
  await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
}

/** Reads one chunk of an end's stream. */
async function readText(readable: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  return await new Response(readable).text();
}

test("fromWebSocket: refuses what is no WebSocket, and says what it was given", () => {
  const wrong: [unknown, string][] = [
    [undefined, "undefined"],
    ["ws://localhost", '"ws://localhost"'],
    [{}, "an object (Object)"],
    [{ readyState: 1, send() {} }, "an object (Object)"],
    [memoryPair()[0], "an object"],
  ];
  for (const [value, shown] of wrong) {
    const error = assertThrows(() => fromWebSocket(untyped<WebSocketLike>(value)), TypeError);
    assertStringIncludes(error.message, `must be a WebSocket`);
    assertStringIncludes(error.message, `got ${shown}`);
  }
});

test("fromWebSocket: refuses a data channel, and names its adapter", () => {
  const channel = untyped<WebSocketLike>({ readyState: "open", send() {}, close() {} });
  const error = assertThrows(() => fromWebSocket(channel), TypeError);
  assertStringIncludes(error.message, "see fromDataChannel() of '@webstreams/join/webrtc'");
});

test("fromWebSocketStream: refuses what is none, and says what it was given", () => {
  for (const value of [undefined, {}, { readable: new ReadableStream() }, memoryPair()[0]]) {
    const error = assertThrows(
      () => fromWebSocketStream(untyped<WebSocketStreamLike>(value)),
      TypeError,
    );
    assertStringIncludes(error.message, "must be a WebSocketStream: got ");
  }
});

testClient("one that is closing or closed is refused", async ({ socket }) => {
  await opened(socket);
  socket.close();
  for (const state of ["closing", "closed"]) {
    const error = assertThrows(() => fromWebSocket(socket), TypeError);
    const message = `must be a WebSocket that is open or connecting`;
    assertStringIncludes(error.message, message, state);
    await closed(socket);
  }
});

testClient("options that are no sizes are refused, and nothing is touched", async ({ socket }) => {
  const before = socket.binaryType;
  for (const name of ["maxBuffered", "maxFrame"]) {
    for (const [value, shown] of [[0, "0"], [-1, "-1"], [NaN, "NaN"], [1.5, "1.5"], ["9", '"9"']]) {
      const rule = `'${name}' must be an integer of 1 to ${Number.MAX_SAFE_INTEGER} bytes`;
      const refused = () => fromWebSocket(socket, untyped({ [name]: value }));
      assertThrows(refused, RangeError, `${rule}: got ${shown}`);
    }
  }
  assertEquals(socket.binaryType, before);
  await opened(socket);
  socket.close();
});

if (here) {
  test("fromWebSocket: a host that refuses fails the join", async () => {
    const peer = await listen("websocket");
    await peer.dispose();
    const [end, other] = memoryPair();
    const socket = new WebSocket(peer.address.url);
    const error = await rejection(join(fromWebSocket(socket), end));
    assertInstanceOf(error, JoinError);
    assertInstanceOf(error.cause, WebSocketCloseError);
    assertEquals(error.cause.code, 1006);
    assertStringIncludes(error.message, "could not be opened");
    await rejection(other.readable.getReader().read());
  });
}

testClient("it is awaited while it connects", async ({ socket, peer }) => {
  assertEquals(socket.readyState, WebSocket.CONNECTING);
  const { writable } = fromWebSocket(socket);
  const writer = writable.getWriter();
  await writer.write(bytes("early"));
  await writer.close();
  const { received, ended } = await peer.until({ ended: true });
  assertEquals([received, ended], [5, { how: "eof", code: 1000, reason: "" }]);
});

testClient("text comes as UTF-8, and bytes are sent as binary", async ({ socket, peer }) => {
  const { readable } = fromWebSocket(socket);
  await peer.send({ bytes: 1000, text: true });
  await peer.finish();
  const sent = hashOf({ bytes: 1000 });
  const came = await readText(readable);
  assertEquals([came.length, /^[0-o]+$/.test(came), sent !== ""], [1000, true, true]);
});

testClient("what comes before anyone reads is kept", async ({ socket, peer }) => {
  const { readable } = fromWebSocket(socket);
  await opened(socket);
  await peer.send({ bytes: 100_000, chunk: 1000 });
  await peer.finish();
  await delay(100);
  assertEquals((await new Response(readable).arrayBuffer()).byteLength, 100_000);
});

testClient("no message is larger than maxFrame", async ({ socket, peer }) => {
  const writer = fromWebSocket(socket, { maxFrame: 1000 }).writable.getWriter();
  await writer.write(new Uint8Array(2500));
  const { largest, chunks } = await peer.until({ received: 2500 });
  assertEquals([largest, chunks], [1000, 3]);
  await writer.close();
});

testClient("nor than 64 KiB by default", async ({ socket, peer }) => {
  const writer = fromWebSocket(socket).writable.getWriter();
  await writer.write(new Uint8Array(MIB));
  assertEquals((await peer.until({ received: MIB })).largest, 65_536);
  await writer.close();
});

for (const [code, reason] of [[1000, "done"], [1001, ""], [undefined, ""]] as const) {
  testClient(`a close with ${code ?? "no code"} is the end of file`, async ({ socket, peer }) => {
    const { readable } = fromWebSocket(socket);
    await opened(socket);
    await peer.send({ bytes: 10 });
    await peer.close(code, reason);
    assertEquals((await new Response(readable).arrayBuffer()).byteLength, 10);
  });
}

for (const code of [1011, 3000, 4999]) {
  testClient(`a close with ${code} is an error with code and reason`, async ({ socket, peer }) => {
    const end = fromWebSocket(socket);
    await opened(socket);
    const failed = rejection(join(end, memoryPair()[0]));
    await peer.close(code, "because");
    const error = await failed;
    assertInstanceOf(error, JoinError);
    assertInstanceOf(error.cause, WebSocketCloseError);
    assertEquals([error.cause.code, error.cause.reason], [code, "because"]);
    assertStringIncludes(error.message, `closed with code ${code}: because`);
  });
}

testClient("its own write fails too once it was closed with an error", async ({ socket, peer }) => {
  const { readable, writable } = fromWebSocket(socket);
  const writer = writable.getWriter();
  await opened(socket);
  await peer.close(4001);
  assertInstanceOf(await rejection(new Response(readable).text()), Error);
  assertInstanceOf(await rejection(writer.closed), WebSocketCloseError);
});

testClient("a writer alone learns of a clean close", async ({ socket, peer }) => {
  const writer = fromWebSocket(socket).writable.getWriter();
  await opened(socket);
  await peer.close(1000);
  assertInstanceOf(await rejection(writer.closed), WebSocketCloseError);
});

testClient("a writer learns of a clean close by a cancel too", async ({ socket, peer }) => {
  const { readable, writable } = fromWebSocket(socket);
  const writer = writable.getWriter();
  await opened(socket);
  const isClosed = new Promise((resolve) => socket.addEventListener("close", resolve));
  await peer.send({ bytes: 5, chunk: 5 });
  await peer.close(1000);
  await isClosed;
  await readable.cancel();
  assertInstanceOf(await rejection(writer.write(new Uint8Array(1))), WebSocketCloseError);
});

testClient("an abort with a code and a reason passes them on", async ({ socket, peer }) => {
  const { writable } = fromWebSocket(socket);
  await opened(socket);
  await writable.abort(new WebSocketCloseError(4321, "no more"));
  const { ended } = await peer.until({ ended: true });
  assertEquals(ended, { how: "reset", code: 4321, reason: "no more" });
});

testClient("an abort with any other reason tells nothing of it", async ({ socket, peer }) => {
  const { writable } = fromWebSocket(socket);
  await opened(socket);
  await writable.abort(new Error("10.0.0.1 refused"));
  const { ended } = await peer.until({ ended: true });
  const cut = "terminate" in socket;
  assertEquals([ended.how, ended.code, ended.reason], ["reset", cut ? 1006 : 4000, ""]);
});

testClient("two joined ones pass code and reason through", async ({ socket, peer }) => {
  const far = await listen("websocket");
  const other = new WebSocket(far.address.url);
  await Promise.all([opened(socket), opened(other)]);
  const failed = rejection(join(fromWebSocket(socket), fromWebSocket(other)));
  await peer.close(4123, "through");
  await failed;
  const { ended } = await far.until({ ended: true });
  assertEquals(ended, { how: "reset", code: 4123, reason: "through" });
  await far.dispose();
  await closed(other);
});

testClient("what was written is sent before it is closed", async ({ socket, peer }) => {
  const writer = fromWebSocket(socket).writable.getWriter();
  const much = { bytes: 8 * MIB };
  const written = writer.write(new Uint8Array(much.bytes));
  const done = Promise.all([written, writer.close()]);
  await peer.until({ quiet: 200 });
  await peer.resume();
  const { received, ended } = await peer.until({ ended: true });
  assertEquals([received, ended.how, ended.code], [much.bytes, "eof", 1000]);
  await done;
}, { paused: true });

testClient("one Blob, with binaryType set back, is a clear error", async ({ socket, peer }) => {
  const end = fromWebSocket(socket);
  socket.binaryType = "blob";
  await opened(socket);
  const failed = rejection(join(end, memoryPair()[0]));
  await peer.send({ bytes: 10 });
  const error = await failed;
  assertInstanceOf(error, JoinError);
  assertInstanceOf(error.cause, TypeError);
  assertStringIncludes(error.message, "arraybuffer");
  assertEquals((await peer.until({ ended: true })).ended.how, "reset");
}, { on: ["deno", "node", "chromium", "firefox", "webkit"] });

/** Where it cannot be paused. */
const unpausable: readonly Runtime[] = [
  "deno",
  "node",
  "workerd",
  "chromium",
  "firefox",
  "webkit",
];

testClient("more than maxBuffered unread is a clear error", async ({ socket, peer }) => {
  const end = fromWebSocket(socket, { maxBuffered: 100_000 });
  await opened(socket);
  await peer.send({ bytes: 100_000, chunk: 10_000 });
  await delay(100);
  assertEquals(socket.readyState, WebSocket.OPEN);
  await peer.send({ bytes: 1 });
  assertEquals((await peer.until({ ended: true })).ended.how, "reset");
  const error = await rejection(join(end, memoryPair()[0]));
  assertInstanceOf(error, JoinError);
  assertInstanceOf(error.cause, RangeError);
  assertStringIncludes(error.message, "More than 100000 bytes wait unread ('maxBuffered')");
}, { on: unpausable });

testClient("the same is bounded at 16 MiB by default", async ({ socket, peer }) => {
  const { readable } = fromWebSocket(socket);
  await opened(socket);
  void peer.send({ bytes: 17 * MIB });
  assertEquals((await peer.until({ ended: true })).ended.how, "reset");
  assertInstanceOf(await rejection(readable.getReader().read()), RangeError);
}, { on: unpausable });

testClient("a listener is left behind neither by success nor by failure", async (client) => {
  const { socket, peer } = client;
  const listeners = new Set<string>();
  const { addEventListener: add, removeEventListener: remove } = socket;
  socket.addEventListener = (type: string, ...rest: unknown[]) => {
    listeners.add(type);
    Reflect.apply(add, socket, [type, ...rest]);
  };
  socket.removeEventListener = (type: string, ...rest: unknown[]) => {
    listeners.delete(type);
    Reflect.apply(remove, socket, [type, ...rest]);
  };
  const failed = rejection(join(fromWebSocket(socket), memoryPair()[0]));
  assertEquals(listeners.size, 4);
  await opened(socket);
  await peer.close(4000);
  await failed;
  assertEquals([...listeners], []);
});

if (WebSocketStream && (platform === "deno" || platform === "chromium")) {
  const testStream = (name: string, body: (peer: RemoteFar) => Promise<void>) =>
    test(`fromWebSocketStream: ${name}`, async () => {
      const peer = await listen("websocket");
      try {
        await body(peer);
      } finally {
        await peer.dispose();
        await delay(20);
      }
    });

  testStream("text and binary, both ways, from while it connects", async (peer) => {
    const end = fromWebSocketStream(new WebSocketStream(peer.address.url));
    const writer = end.writable.getWriter();
    await writer.write(bytes("early"));
    await peer.until({ received: 5 });
    await peer.send({ bytes: 3, text: true });
    const reader = end.readable.getReader();
    const { value } = await reader.read();
    assertEquals(/^[0-o]{3}$/.test(text(value!)), true);
    await peer.close(1000);
    assertEquals((await reader.read()).done, true);
  });

  testStream("a code of the peer's is an error with code and reason", async (peer) => {
    const end = fromWebSocketStream(new WebSocketStream(peer.address.url));
    const failed = rejection(join(end, memoryPair()[0]));
    await peer.until({ quiet: 100 });
    await peer.close(4001, "because");
    const error = await failed;
    assertInstanceOf(error, JoinError);
    assertInstanceOf(error.cause, WebSocketCloseError);
    assertEquals([error.cause.code, error.cause.reason], [4001, "because"]);
  });

  testStream("a code of ours reaches the peer, with its reason", async (peer) => {
    const stream = new WebSocketStream(peer.address.url);
    const { writable } = fromWebSocketStream(stream);
    await stream.opened;
    await delay(0);
    await writable.abort(new WebSocketCloseError(4002, "enough"));
    const { ended } = await peer.until({ ended: true });
    assertEquals(ended, { how: "reset", code: 4002, reason: "enough" });
  });

  test("fromWebSocketStream: a host that refuses fails the join", async () => {
    const stream = new WebSocketStream("ws://127.0.0.1:1");
    const error = await rejection(join(fromWebSocketStream(stream), memoryPair()[0]));
    assertInstanceOf(error, JoinError);
    assertStringIncludes(error.message, "could not be opened");
  });
}

/** A WebSocket whose peer takes what we let it take. */
class Sender extends EventTarget implements WebSocketLike {
  readyState = 1;
  bufferedAmount = 0;
  readonly closes: (number | undefined)[] = [];

  send({ length }: Uint8Array): void {
    this.bufferedAmount += length;
  }

  close(code?: number): void {
    this.closes.push(code);
  }
}

test("fromWebSocket: it is closed once all has been sent, and no earlier", async () => {
  const socket = new Sender();
  const writer = fromWebSocket(socket).writable.getWriter();
  await writer.write(bytes("unsent"));
  void writer.close();
  await delay(100);
  assertEquals(socket.closes, []);
  socket.bufferedAmount = 0;
  while (socket.closes.length === 0) await delay(1);
  assertEquals(socket.closes, [1000]);
});

test("fromWebSocket: one whose peer takes all at once is looked at soon, each time anew", async () => {
  const socket = new Sender();
  const { setTimeout, clearTimeout } = globalThis;
  const waits: number[] = [];
  const writer = fromWebSocket(socket, { maxFrame: 2 * MIB }).writable.getWriter();
  try {
    Object.assign(globalThis, {
      setTimeout: (callback: () => void, ms: number) => {
        waits.push(ms);
        socket.bufferedAmount = 0;
        void macrotask().then(callback);
        return 1;
      },
      clearTimeout: () => {},
    });
    for (let writes = 0; writes < 5; writes++) await writer.write(new Uint8Array(2 * MIB));
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
  assertEquals(waits, [1, 1, 1, 1, 1]);
});

test("fromWebSocket: one whose peer takes nothing more is cut off in the end", async () => {
  const socket = new Sender();
  const { setTimeout, clearTimeout } = globalThis;
  const waits: number[] = [];
  const writer = fromWebSocket(socket).writable.getWriter();
  await writer.write(bytes("unsent"));
  try {
    Object.assign(globalThis, {
      setTimeout: (callback: () => void, ms: number) => {
        waits.push(ms);
        void macrotask().then(callback);
      },
      clearTimeout: () => {},
    });
    void writer.close();
    while (socket.closes.length === 0) await macrotask();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
  assertEquals(socket.closes, [4000]);
  const seconds = waits.reduce((sum, ms) => sum + ms, 0) / 1000;
  assert(seconds > 30 && seconds < 35, `after ${seconds} s`);
});

test("fromWebSocket: counts what was sent just before the close", async () => {
  const socket = new Sender();
  const [here, there] = memoryPair({ capacity: 4 * 1024 * 1024 });
  const joined = join(fromWebSocket(socket), here);
  const writer = there.writable.getWriter();
  await writer.write(new Uint8Array(2 * 1024 * 1024));
  while (socket.bufferedAmount <= 1024 * 1024) await macrotask();
  const sent = socket.bufferedAmount;
  // Before anybody looks at it again.
  socket.bufferedAmount = 0;
  socket.readyState = 3;
  socket.dispatchEvent(Object.assign(new Event("close"), { code: 1000, wasClean: true }));
  await writer.close();
  assertEquals((await joined).bToA.bytes, sent);
});

/** A WebSocket that can be paused, and a peer that sends on nonetheless. */
class Unstoppable extends Sender {
  pauses = 0;

  pause(): void {
    this.pauses++;
  }

  resume(): void {}

  receive(length: number): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data: new ArrayBuffer(length) }));
  }
}

test("fromWebSocket: one message that comes before it is paused may be of any size", () => {
  const socket = new Unstoppable();
  fromWebSocket(socket, { maxBuffered: 1000 });
  socket.receive(500);
  assertEquals(socket.pauses, 0);
  socket.receive(1_000_000);
  assertEquals([socket.pauses, socket.closes.length], [1, 0]);
});

test("fromWebSocket: a peer that sends on although it is paused is cut off", async () => {
  const socket = new Unstoppable();
  const { readable } = fromWebSocket(socket, { maxBuffered: 1000 });
  socket.receive(1_000_000);
  socket.receive(600);
  socket.receive(400);
  assertEquals(socket.closes, []);
  socket.receive(1);
  assertEquals(socket.closes, [4000]);
  const error = await rejection(readable.getReader().read());
  assertStringIncludes(String(error), "More than 1000 bytes wait unread ('maxBuffered')");
});

test("fromWebSocket: what came while it was paused is forgotten once it goes on", async () => {
  const socket = new Unstoppable();
  const { readable } = fromWebSocket(socket, { maxBuffered: 1000 });
  const reader = readable.getReader();
  for (let round = 0; round < 3; round++) {
    for (const length of [1_000_000, 600]) socket.receive(length);
    for (const length of [1_000_000, 600]) {
      assertEquals((await reader.read()).value?.length, length);
    }
    // It asks for more, which resumes the socket.
    const next = reader.read();
    await macrotask();
    socket.receive(1);
    assertEquals((await next).value?.length, 1);
  }
  assertEquals(socket.closes, []);
});
