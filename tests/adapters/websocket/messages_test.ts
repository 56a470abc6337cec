import { join, JoinError, type MessagePair } from "@webstreams/join";
import {
  fromWebSocket,
  fromWebSocketStream,
  WebSocketCloseError,
  type WebSocketLike,
  type WebSocketStreamLike,
} from "@webstreams/join/websocket";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { type Runtime, test } from "../../harness.ts";
import { listen, type RemoteFar } from "../../peer/client.ts";
import type { FarOptions } from "../../peer/far_end.ts";
import { delay, rejection } from "../../support/async.ts";
import { platform } from "../../support/environment.ts";
import { untyped } from "../../support/untyped.ts";
import { serveWebSocket } from "../../support/websocket.ts";

const MIB = 1024 * 1024;
/** Node 20 has no WebSocket of its own. */
const here = "WebSocket" in globalThis;
/** What a page's, and all that are made by the same standard, tell for what they may not say. */
const told = (code: number) => ["bun", "workerd"].includes(platform) ? code : code + 3000;

/** A test with a WebSocket that connects to the peer. */
function testClient(
  name: string,
  body: (socket: WebSocket, peer: RemoteFar) => Promise<void>,
  { on, ...options }: FarOptions & { on?: readonly Runtime[] } = {},
): void {
  if (!here) return;
  test(`messages: ${name}`, { on }, async () => {
    const peer = await listen("websocket", options);
    const socket = new WebSocket(peer.address.url);
    try {
      await body(socket, peer);
    } finally {
      await peer.dispose();
      while (socket.readyState !== WebSocket.CLOSED) await delay(5);
    }
  });
}

testClient("bad options are refused, and nothing is touched", async (socket) => {
  const before = socket.binaryType;
  const action = "Cannot make an end of a WebSocket as ";
  const wrong: [object, typeof TypeError | typeof RangeError, string][] = [
    [{ messages: "yes" }, TypeError, `'messages' must be a boolean: got "yes"`],
    [
      { messages: true, maxFrame: 5 },
      TypeError,
      "'options' must have no more than 'messages', 'maxBuffered', 'maxMessage', 'ping': got " +
      '"maxFrame"',
    ],
    [
      { maxMessage: 5 },
      TypeError,
      "'options' must have no more than 'messages', 'maxBuffered', 'maxFrame', 'ping': got " +
      '"maxMessage"',
    ],
    ...[0, -1, 1.5, NaN, Infinity, "9"].map((value) =>
      [
        { messages: true, maxMessage: value },
        RangeError,
        `'maxMessage' must be an integer of 1 to ${Number.MAX_SAFE_INTEGER} bytes: got ` +
        (typeof value === "string" ? '"9"' : value),
      ] as [object, typeof RangeError, string]
    ),
    ...[0, -1, 1.5, NaN, 2 ** 31, "9"].map((value) =>
      [
        { ping: value },
        RangeError,
        "'ping' must be an integer of 1 to 2147483647 milliseconds: got " +
        (typeof value === "string" ? '"9"' : value),
      ] as [object, typeof RangeError, string]
    ),
    [
      { messages: true, ping: 5000 },
      TypeError,
      "'ping' needs a WebSocket of the 'ws' package or of Bun's server (Deno.upgradeWebSocket " +
      "and join have an 'idleTimeout'): got 5000",
    ],
  ];
  for (const [options, Kind, message] of wrong) {
    const error = assertThrows(() => fromWebSocket(socket, untyped(options)), Kind);
    assertEquals(error.message, action + message);
  }
  assertThrows(
    () => fromWebSocket(socket, untyped(null)),
    TypeError,
    "'options' must be an object",
  );
  assertEquals(socket.binaryType, before);
  await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
  socket.close();
});

test("messages: a WebSocketStream's bad options are refused, and nothing is touched", () => {
  const opened = { then: () => assert(false, "touched") };
  const stream = untyped<WebSocketStreamLike>({ opened, closed: opened, close() {} });
  assertThrows(
    () => fromWebSocketStream(stream, { messages: true, maxMessage: 0 }),
    RangeError,
    "Cannot make an end of a WebSocketStream as 'maxMessage' must be an integer of 1 to",
  );
});

testClient(
  "one that is too large fails the join, and its peer is told 1009",
  async (socket, peer) => {
    const other = await listen("websocket", {});
    try {
      const end = fromWebSocket(socket, { messages: true, maxMessage: 1000 });
      const target = fromWebSocket(new WebSocket(other.address.url), { messages: true });
      const joined = join(end, target);
      joined.catch(() => {});
      await peer.send({ bytes: 1000, chunk: 1000, seed: 1 });
      await peer.send({ bytes: 1000, chunk: 1000, text: true });
      await other.until({ received: 2000 });
      await peer.send({ bytes: 1001, chunk: 1001 });
      const error = await rejection(joined);
      assertInstanceOf(error, JoinError);
      assertEquals([error.end, error.side, error.reason], ["a", "read", "limit"]);
      assertInstanceOf(error.cause, RangeError);
      assertEquals(error.cause.message, "A message of 1001 bytes came ('maxMessage' is 1000)");
      assertEquals((await peer.until({ ended: true })).ended.code, told(1009));
      const { ended, received } = await other.until({ ended: true });
      assertEquals([ended.code, received], [told(1011), 2000]);
    } finally {
      await other.dispose();
    }
  },
);

testClient(
  "one that is left open is not closed with another's words later",
  async (socket, peer) => {
    const other = await listen("websocket", {});
    try {
      const end = fromWebSocket(socket, { messages: true });
      const source = fromWebSocket(new WebSocket(other.address.url), { messages: true });
      const joined = join(source, end, { preventClose: { b: true } });
      await other.send({ bytes: 1 });
      await peer.until({ received: 1 });
      await other.close(1000, "bye");
      assertEquals((await joined).reason, "eof");
      await end.close?.();
      const { ended } = await peer.until({ ended: true });
      assertEquals(ended, { how: "eof", code: 1000, reason: "" });
    } finally {
      await other.dispose();
    }
  },
);

testClient("what has still to be sent goes before another's words", async (socket, peer) => {
  const other = await listen("websocket", {});
  try {
    const end = fromWebSocket(socket, { messages: true });
    const source = fromWebSocket(new WebSocket(other.address.url), { messages: true });
    const joined = join(source, end);
    const closed = other.send({ bytes: 12 * MIB, chunk: MIB }).then(() => other.close(1000, "bye"));
    // Bun's client can be paused: there it cannot send all before the peer reads.
    await other.until({ quiet: 300 });
    await peer.resume();
    await closed;
    assertEquals((await joined).reason, "eof");
    const { received, ended } = await peer.until({ ended: true });
    assertEquals([received, ended], [12 * MIB, { how: "eof", code: 1000, reason: "bye" }]);
  } finally {
    await other.dispose();
  }
}, { paused: true });

testClient("a text's size is that of its UTF-8", async (socket, peer) => {
  const { readable, writable } = fromWebSocket(socket, { messages: true, maxMessage: 300 });
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  for (const message of ["世".repeat(100), "世".repeat(101)]) await writer.write(message);
  assertEquals((await reader.read()).value, "世".repeat(100));
  const error = await rejection(reader.read());
  assertInstanceOf(error, RangeError);
  assertEquals(error.message, "A message of 303 bytes came ('maxMessage' is 300)");
  await peer.until({ ended: true });
  await writer.closed.catch(() => {});
}, { echo: true });

testClient("empty ones that nobody reads are too many at last", async (socket, peer) => {
  const { readable } = fromWebSocket(socket, { messages: true, maxBuffered: 64 * 100 });
  for (let sent = 0; sent < 200; sent++) void peer.send({ bytes: 1, chunk: 1 }).catch(() => {});
  await peer.until({ ended: true });
  const reader = readable.getReader();
  let read = 0;
  const error = await rejection((async () => {
    for (;; read++) await reader.read();
  })());
  assertInstanceOf(error, RangeError);
  assert(error.message.endsWith("('maxBuffered')"), error.message);
}, { on: ["deno", "node", "chromium", "firefox", "webkit", "workerd"] });

testClient("one that a slow peer has yet to take is waited for", async (socket, peer) => {
  const { writable } = fromWebSocket(socket, { messages: true });
  const writer = writable.getWriter();
  let written = 0;
  const writing = (async () => {
    for (; written < 80; written++) await writer.write(new Uint8Array(MIB));
    await writer.close();
  })();
  let before = -1;
  // Until nothing more is taken.
  while (written !== before) {
    before = written;
    await delay(300);
  }
  assert(written < 80, "all of it was taken");
  await peer.resume();
  await writing;
  const { received, chunks, ended } = await peer.until({ ended: true });
  assertEquals([received, chunks, ended.code], [80 * MIB, 80, 1000]);
}, { paused: true, on: ["deno", "bun", "node", "chromium", "firefox"] });

const server = platform === "deno" || platform === "bun";
test("messages: a server's, before anybody asks for the end", { on: ["bun"] }, async () => {
  const serving = serveWebSocket((socket) => socket);
  const client = new WebSocket(serving.url);
  const socket: WebSocketLike = await serving.accepted;
  const open = client.readyState === 1
    ? undefined
    : new Promise((resolve) => client.addEventListener("open", resolve, { once: true }));
  await open;
  for (const message of ["text", new Uint8Array([1, 2]), ""]) client.send(message);
  client.close(4007, "early");
  await new Promise((resolve) => client.addEventListener("close", resolve, { once: true }));
  const { readable } = fromWebSocket(socket, { messages: true });
  assertThrows(
    () => fromWebSocket(socket),
    TypeError,
    "Cannot make an end of a WebSocket as 'messages' must be what it was in the first call: got undefined",
  );
  const reader = readable.getReader();
  const kinds: unknown[] = [];
  for (let left = 3; left > 0; left--) {
    const { value } = await reader.read();
    kinds.push(typeof value === "string" ? value : [...value!]);
  }
  assertEquals(kinds, ["text", [1, 2], ""]);
  const error = await rejection(reader.read());
  assertInstanceOf(error, WebSocketCloseError);
  assertEquals([error.code, error.reason], [4007, "early"]);
  await serving.close();
});

if (here && server) {
  test("messages: between two servers' sockets, both ways, with every code", async () => {
    for (const code of [1000, 1001, 1002, 1008, 1011, 1012, 1013, 3000, 4321]) {
      const ends: MessagePair[] = [];
      const [a, b] = [0, 1].map(() =>
        serveWebSocket((socket) => {
          ends.push(fromWebSocket(socket, { messages: true }));
        })
      );
      const clients = [new WebSocket(a!.url), new WebSocket(b!.url)];
      await Promise.all([a!.accepted, b!.accepted]);
      const joined = join(ends[0]!, ends[1]!).catch((error) => error);
      const closed = clients.map((client) =>
        new Promise<CloseEvent>((resolve) => client.addEventListener("close", resolve))
      );
      await Promise.all(
        clients.map((client) =>
          client.readyState === 1 ||
          new Promise((resolve) => client.addEventListener("open", resolve))
        ),
      );
      const may = code === 1000 || code >= 3000 || platform === "bun";
      clients[0]!.close(may ? code : 4000, "why");
      const { code: came, reason } = await closed[1]!;
      assertEquals([came, reason], [may ? code : 4000, "why"]);
      await closed[0];
      await joined;
      await Promise.all([a!.close(), b!.close()]);
    }
  });
}
