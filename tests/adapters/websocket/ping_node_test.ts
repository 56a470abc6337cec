/** Pings, where a platform has them: of the `ws` package on Node, of Bun's server. */
import { join, JoinError, type MessagePair } from "@webstreams/join";
import {
  fromWebSocket,
  type WebSocketLike,
  type WebSocketMessageOptions,
} from "@webstreams/join/websocket";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
// @ts-types="../../peer/wires/ws.d.ts"
import { WebSocketServer } from "ws";
import { test } from "../../harness.ts";
import { deferred, delay, rejection } from "../../support/async.ts";
import { runtime } from "../../support/environment.ts";
import { untyped } from "../../support/untyped.ts";
import { serveWebSocket } from "../../support/websocket.ts";

const on = ["node", "bun"] as const;
const PING_MS = 100;

/** A server's socket with pings, and a client of our own, that answers none of them by itself. */
async function connected(
  options: WebSocketMessageOptions,
): Promise<{ end: MessagePair; client: Client; close(): Promise<void> }> {
  if (runtime === "bun") {
    const serving = serveWebSocket((socket) => fromWebSocket(socket, options));
    const client = await Client.dial(Number(new URL(serving.url).port));
    return { end: await serving.accepted, client, close: () => serving.close() };
  }
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { promise: accepted, resolve } = deferred<MessagePair>();
  sockets.once("connection", (socket) => {
    resolve(fromWebSocket(untyped<WebSocketLike>(socket), options));
  });
  const client = await Client.dial((server.address() as { port: number }).port);
  return { end: await accepted, client, close: () => Promise.resolve(void server.close()) };
}

/** A WebSocket client, frame by frame. */
class Client {
  readonly closed: Promise<unknown>;
  pings = 0;
  readonly #socket: Socket;
  #answers = false;

  constructor(socket: Socket, first: Uint8Array) {
    this.#socket = socket;
    this.closed = once(socket, "close");
    socket.on("error", () => {});
    const heard = (chunk: Uint8Array) => {
      // Nothing but short frames comes here.
      for (let at = 0; at < chunk.length; at += 2 + (chunk[at + 1]! & 127)) {
        if ((chunk[at]! & 15) !== 9) continue;
        this.pings++;
        if (this.#answers) this.#socket.write(Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0));
      }
    };
    heard(first);
    socket.on("data", heard);
  }

  static async dial(port: number): Promise<Client> {
    const socket = connect(port, "127.0.0.1");
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    let head = "";
    for (;;) {
      const [chunk] = await once(socket, "data") as [Uint8Array];
      head += new TextDecoder("latin1").decode(chunk);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) continue;
      assert(head.startsWith("HTTP/1.1 101 "), head);
      return new Client(socket, Uint8Array.from(head.slice(end + 4), (char) => char.charCodeAt(0)));
    }
  }

  answer(): this {
    this.#answers = true;
    return this;
  }

  /** Sends a text: "x". */
  send(): void {
    this.#socket.write(Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x78));
  }

  async pinged(times: number): Promise<void> {
    while (this.pings < times) await delay(5);
  }

  leave(): void {
    this.#socket.destroy();
  }
}

/** Takes all, and sends nothing. */
function sink(): MessagePair {
  return { messages: true, readable: new ReadableStream(), writable: new WritableStream() };
}

test("ping: a peer that answers none fails the join, and is cut off", { on }, async () => {
  const { end, client, close } = await connected({ messages: true, ping: PING_MS });
  const error = await rejection(join(end, sink()));
  assertInstanceOf(error, JoinError);
  assertEquals([error.end, error.side, error.reason], ["a", "read", "idle"]);
  assertEquals((error.cause as Error).message, `The peer answered no 'ping' for ${PING_MS} ms`);
  await client.closed;
  assertEquals(client.pings, 1);
  await close();
});

test("ping: one that answers, and says nothing else, is left alone", { on }, async () => {
  const { end, client, close } = await connected({ messages: true, ping: PING_MS });
  const joined = join(end, sink());
  await client.answer().pinged(5);
  client.leave();
  const error = await rejection(joined);
  assertInstanceOf(error, JoinError);
  assertEquals(error.reason, "reset");
  await close();
});

test("ping: so is one that sends instead of an answer", { on }, async () => {
  const { end, client, close } = await connected({ messages: true, ping: PING_MS });
  const joined = join(end, sink());
  joined.catch(() => {});
  const sending = setInterval(() => client.send(), PING_MS / 10);
  await client.pinged(5);
  clearInterval(sending);
  const error = await rejection(joined);
  assertInstanceOf(error, JoinError);
  assertEquals(error.reason, "idle");
  await close();
});

test("ping: so is one whose answers we cannot hear, as we do not read", { on }, async () => {
  const options = { messages: true, ping: PING_MS, maxBuffered: 1 } as const;
  const { end, client, close } = await connected(options);
  const { readable } = end;
  client.answer().send();
  const before = performance.now();
  while (performance.now() - before < 5 * PING_MS) await delay(PING_MS);
  const reader = readable.getReader();
  assertEquals((await reader.read()).value, "x");
  await end.close?.();
  client.leave();
  await client.closed;
  await close();
});

test(
  "messages: a peer that does not answer a close is cut off after a failure",
  { on, timeout: 20_000 }, // By itself, `ws` waits for 30 s.
  async () => {
    const { end, client, close } = await connected({ messages: true });
    const aborter = new AbortController();
    const joined = join(end, sink(), { signal: aborter.signal });
    aborter.abort(new Error("enough"));
    assertEquals((await rejection(joined) as Error).message, "enough");
    await client.closed;
    await close();
  },
);

test("ping: an end of bytes has them too", { on }, async () => {
  const { end, close, client } = await connected(
    untyped<WebSocketMessageOptions>({ ping: PING_MS }),
  );
  const error = await rejection(end.readable.getReader().read());
  assertEquals((error as Error).message, `The peer answered no 'ping' for ${PING_MS} ms`);
  await client.closed;
  await close();
});
