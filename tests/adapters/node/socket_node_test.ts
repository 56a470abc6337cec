/** What is special to ends of Node's streams; the rest is in the contract. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type NetConnectOpts, Socket } from "node:net";
import { Buffer } from "node:buffer";
import { Duplex, PassThrough } from "node:stream";
// @ts-types="../../peer/wires/ws.d.ts"
import { createWebSocketStream, WebSocket } from "ws";
import { duplex, join, JoinError, memoryPair, type Pair, pipe } from "@webstreams/join";
import { connectNodeSocket, fromNodeSocket, type NodeReadOptions } from "@webstreams/join/node";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLessOrEqual,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { test } from "../../harness.ts";
import { Fingerprint, hashOf, PatternStream } from "../../support/parcels.ts";
import { delay, never, rejection, turns } from "../../support/async.ts";
import { bytes } from "../../support/bytes.ts";
import { runtime } from "../../support/environment.ts";
import { untyped } from "../../support/untyped.ts";

const host = "127.0.0.1";
const allowHalfOpen = true;

/** Two connected sockets. */
async function sockets(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen });
  server.listen(0, host);
  await once(server, "listening");
  const accepted = once(server, "connection");
  const client = connect({ host, port: (server.address() as AddressInfo).port, allowHalfOpen });
  const [socket] = await accepted;
  // It is the far side, and no business of the test's.
  socket.on("error", () => {});
  server.close();
  if (client.connecting) await once(client, "connect");
  return [client, socket];
}

/** One that nobody listens on. */
async function refusingPort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** What its `setNoDelay` is called with from here on. */
function spied(socket: Socket): { socket: Socket; calls: (boolean | undefined)[] } {
  const calls: (boolean | undefined)[] = [];
  const { setNoDelay } = socket;
  socket.setNoDelay = (noDelay) => {
    calls.push(noDelay);
    return setNoDelay.call(socket, noDelay);
  };
  return { socket, calls };
}

/** Everything it yields, as text. */
async function textOf(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}

const NO_SOCKETS: readonly (readonly [string, unknown, string])[] = [
  ["nothing", undefined, "'socket' must be a stream.Duplex: got undefined"],
  ["a pair", { readable: new ReadableStream(), writable: new WritableStream() }, "got an object"],
  ["objects", new Duplex({ objectMode: true }), "must yield bytes, not objects or strings"],
  ["strings", new PassThrough({ encoding: "utf8" }), "must yield bytes, not objects or strings"],
];

for (const [name, value, message] of NO_SOCKETS) {
  test(`fromNodeSocket refuses ${name}`, () => {
    assertThrows(() => fromNodeSocket(untyped(value)), TypeError, message);
  });
}

test("fromNodeSocket refuses what ws makes of a WebSocket, and says what to use", {
  // Bun has a `ws` of its own.
  on: ["node", "deno"],
}, async () => {
  const socket = new WebSocket(`ws://${host}:${await refusingPort()}`);
  const refused = new Promise<Error>((resolve) => socket.once("error", resolve));
  const stream = createWebSocketStream(socket).on("error", () => {});
  assertThrows(
    () => fromNodeSocket(stream),
    TypeError,
    "must not be of createWebSocketStream(): use fromWebSocket() with the WebSocket itself",
  );
  await refused;
});

test("fromNodeSocket refuses a destroyed socket", () => {
  const socket = new Socket().destroy();
  assertThrows(() => fromNodeSocket(socket), TypeError, "'socket' must not be destroyed: got ");
  assertEquals(socket.listenerCount("data"), 0);
});

test("connectNodeSocket refuses what does not connect, or gives no socket", () => {
  assertThrows(
    () => connectNodeSocket(untyped<typeof connect>("net"), { port: 1 }),
    TypeError,
    `'connect' must be a function: got "net"`,
  );
  assertThrows(
    () => connectNodeSocket(() => untyped<Socket>({}), {}),
    TypeError,
    "'socket' must be a stream.Duplex",
  );
});

const sending = { bytes: 8 * 1024 * 1024, seed: 5 };

/** Connected to a server that sends so much, with all the memory that is read into. */
async function dialed(): Promise<{ end: Pair; memories: Set<ArrayBufferLike> }> {
  const server = createServer((socket) => {
    socket.end(new PatternStream(sending.seed).next(sending.bytes));
  });
  server.listen(0, host);
  await once(server, "listening");
  server.once("connection", () => server.close());
  const { port } = server.address() as AddressInfo;
  const memories = new Set<ArrayBufferLike>();
  const end = connectNodeSocket((options: NetConnectOpts & NodeReadOptions) => {
    const { buffer, callback } = options.onread!;
    const watched = () => {
      const memory = buffer();
      memories.add(memory.buffer);
      return memory;
    };
    return connect({ ...options, onread: { buffer: watched, callback } });
  }, { port, host });
  return { end, memories };
}

if (runtime === "node") {
  const sinks = {
    "at once": ({ length }: Uint8Array) => length,
    "later": ({ length }: Uint8Array) => delay(0).then(() => length),
  };
  for (const [when, write] of Object.entries(sinks)) {
    test(`connectNodeSocket reads into little memory if it is spent ${when}`, async () => {
      const { end, memories } = await dialed();
      const received = new Fingerprint();
      const sink = {
        read: () => never<null>(),
        write: (chunk: Uint8Array<ArrayBuffer>) => {
          received.update(chunk);
          return write(chunk);
        },
        close: () => {},
      };
      await join(end, sink, { halfCloseTimeout: 50 });
      assertEquals(received.hash, hashOf(sending));
      // Of 128 reads and more.
      assertLessOrEqual(memories.size, 16);
    });
  }

  test("connectNodeSocket leaves what it has read to who keeps it", async () => {
    const { end } = await dialed();
    const kept: Uint8Array<ArrayBuffer>[] = [];
    const sink = new WritableStream({
      write: (chunk: Uint8Array<ArrayBuffer>) => void kept.push(chunk),
    });
    await pipe(end.readable, sink);
    await end.writable.close();
    const received = new Fingerprint();
    for (const chunk of kept) received.update(chunk);
    assertEquals(received.hash, hashOf(sending));
    assert(kept.every(({ length, buffer }) => length * 4 > buffer.byteLength));
  });

  test("connectNodeSocket tells by a failed read of what cannot even be tried", async () => {
    const end = connectNodeSocket(connect, { path: `/tmp/${"x".repeat(200)}` });
    const error = await rejection(join(end, memoryPair()[0]));
    assertInstanceOf(error, JoinError);
    assertEquals([error.end, error.side], ["a", "read"]);
  });
}

test("fromNodeSocket: closing the writable of one that was refused fails", async () => {
  const port = await refusingPort();
  const error = await rejection(fromNodeSocket(connect({ host, port })).writable.close());
  assertEquals(untyped<{ code: string }>(error).code, "ECONNREFUSED");
});

test("fromNodeSocket: a host that refuses fails the join", async () => {
  const port = await refusingPort();
  const [here, there] = memoryPair();
  const error = await rejection(join(fromNodeSocket(connect({ host, port })), here));
  assertInstanceOf(error, JoinError);
  assertEquals([error.end, error.side], ["a", "read"]);
  assertEquals(untyped<{ code: string }>(error.cause).code, "ECONNREFUSED");
  assertStrictEquals(await rejection(there.readable.getReader().read()), error.cause);
});

test("fromNodeSocket: the same socket gives the same end", async () => {
  const [client, socket] = await sockets();
  assertStrictEquals(fromNodeSocket(client), fromNodeSocket(client));
  client.destroy();
  socket.destroy();
});

test("fromNodeSocket: an early error is not uncaught", async () => {
  const [client, socket] = await sockets();
  const end = fromNodeSocket(client);
  client.destroy(new Error("early"));
  await new Promise((resolve) => void client.once("close", resolve));
  const error = await rejection(join(end, memoryPair()[0]));
  assertEquals((error as JoinError).cause, new Error("early"));
  socket.destroy();
});

test("fromNodeSocket: what was put back comes first", async () => {
  const [client, socket] = await sockets();
  socket.write("GET / and more");
  const [head] = await once(client, "data");
  client.pause();
  client.unshift(head);
  socket.end(" and the end");
  assertEquals(await new Response(fromNodeSocket(client).readable).text(), `${head} and the end`);
  client.destroy();
});

test("fromNodeSocket: preventClose gives the socket back", async () => {
  const [client, socket] = await sockets();
  const [here, there] = memoryPair();
  const joined = join(fromNodeSocket(client), here, { preventClose: { a: true } });
  const writer = there.writable.getWriter();
  await writer.write(bytes("question"));
  await writer.close();
  socket.end("answer");
  await joined;
  assertEquals(["data", "drain"].map((name) => client.listenerCount(name)), [0, 0]);
  assertEquals(client.destroyed, false);
  client.end(" after that");
  assertEquals(await textOf(socket), "question after that");
});

test("fromNodeSocket: a Duplex that keeps its chunks gets memory of its own", async () => {
  const size = 64 * 1024;
  const chunks = 16;
  let [reads, left] = [0, chunks];
  const source = {
    read(p: Uint8Array<ArrayBuffer>): number | null {
      if (left === 0) return null;
      left--;
      return p.fill(++reads).length;
    },
  };
  const kept: Uint8Array[] = [];
  const keeping = new Duplex({
    highWaterMark: 64 * 1024 * 1024,
    read() {
      this.push(null);
    },
    // As a PassThrough, or whatever looks at it later.
    write(chunk, _, callback) {
      kept.push(chunk);
      callback();
    },
  });
  const lengths: number[] = [];
  const end = duplex({
    read(p) {
      const count = source.read(p.length > size ? p.subarray(0, size) : p);
      if (count !== null) lengths.push(count);
      return count;
    },
  }, { write: ({ length }) => length });
  await join(end, fromNodeSocket(keeping));
  const all = Buffer.concat(kept);
  let at = 0;
  for (const [index, length] of lengths.entries()) {
    assert(all.subarray(at, at + length).every((byte) => byte === index + 1), `chunk ${index}`);
    at += length;
  }
  assertEquals(at, all.length);
});

test("fromNodeSocket: a chunk is freed once it is written, and no earlier", async () => {
  const [client, socket] = await sockets();
  const [far, near] = await sockets();
  const received: Uint8Array[] = [];
  client.on("data", (chunk) => received.push(chunk as Uint8Array));
  const joined = join(fromNodeSocket(client), fromNodeSocket(far));
  const sent = new Uint8Array(1024 * 1024).map((_, at) => at % 251);
  socket.end(sent);
  near.end();
  const arrived: Uint8Array[] = [];
  for await (const chunk of near) arrived.push(chunk);
  await joined;
  assertEquals(Buffer.compare(Buffer.concat(arrived), sent), 0);
  if ("transfer" in ArrayBuffer.prototype) {
    // All but small ones, and the last.
    const freed = received.filter(({ length }) => length === 0);
    assert(freed.length > 0, `${freed.length} of ${received.length} have been freed`);
  }
});

test("fromNodeSocket: a sink that keeps what it is given has it for good", async () => {
  const [client, socket] = await sockets();
  const [silent, control] = memoryPair();
  const kept: Uint8Array[] = [];
  const sent = new Uint8Array(1024 * 1024).map((_, at) => at % 251);
  let left = sent.length;
  const keeping = new WritableStream<Uint8Array>({
    async write(chunk) {
      kept.push(chunk);
      if ((left -= chunk.length) === 0) await control.writable.close();
    },
  });
  const joined = join(fromNodeSocket(client), duplex(silent.readable, keeping));
  socket.end(sent);
  await joined;
  assertEquals(Buffer.compare(Buffer.concat(kept), sent), 0);
  socket.destroy();
});

// Bun 1.4 emits an `end` when a socket is destroyed.
test("fromNodeSocket: a close before the end is no end", { on: ["node", "deno"] }, async () => {
  const [client, socket] = await sockets();
  const end = fromNodeSocket(client);
  const joined = rejection(join(end, memoryPair()[0]));
  await turns();
  client.destroy();
  assertEquals(
    (await joined as JoinError).cause,
    new Error("The socket was closed before its end"),
  );
  socket.destroy();
});

test("fromNodeSocket: its streams stay locked during a join, and are free after it", async () => {
  const [client, socket] = await sockets();
  const end = fromNodeSocket(client);
  const controller = new AbortController();
  const joined = join(end, memoryPair()[0], { signal: controller.signal });
  assertEquals([end.readable.locked, end.writable.locked], [true, true]);
  const again = await rejection(join(end, memoryPair()[0]));
  assertInstanceOf(again, TypeError);
  controller.abort("enough");
  assertEquals(await rejection(joined), "enough");
  assertEquals([end.readable.locked, end.writable.locked], [false, false]);
  socket.destroy();
});

test("fromNodeSocket: a failure after the peer's end is told although nothing is written", async () => {
  const [client, socket] = await sockets();
  const [here, there] = memoryPair();
  const joined = rejection(join(fromNodeSocket(client), here));
  socket.end("question");
  const reader = there.readable.getReader();
  assertEquals((await reader.read()).value, bytes("question"));
  assertEquals((await reader.read()).done, true);
  client.destroy(new Error("gone"));
  const error = await joined;
  assertInstanceOf(error, JoinError);
  assertEquals([error.end, error.side], ["a", "write"]);
});

/** A socket's end that a join has left open, after a silence of the socket's or after its end. */
async function leftOpen(after: "timeout" | "eof"): Promise<{ client: Socket; end: Pair }> {
  const [client, socket] = await sockets();
  const end = fromNodeSocket(socket);
  const [here, there] = memoryPair();
  const halfCloseTimeout = after === "timeout" ? 20 : Infinity;
  const joined = join(here, end, { halfCloseTimeout, preventClose: { b: true } });
  await there.writable.close();
  if (after === "eof") client.end();
  assertEquals((await joined).ended, after);
  return { client, end };
}

test("fromNodeSocket: what comes after a join that left it open is for whoever reads next", async () => {
  const { client, end } = await leftOpen("timeout");
  client.end("afterwards");
  assertEquals(await new Response(end.readable).text(), "afterwards");
  await end.close?.();
});

test("fromNodeSocket: so is what comes while the other end is being closed", async () => {
  const [client, socket] = await sockets();
  const end = fromNodeSocket(socket);
  const slow = {
    readable: new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (input) => input.close() }),
    writable: new WritableStream<Uint8Array<ArrayBuffer>>({
      close: () => {
        client.end("meanwhile");
        return never();
      },
    }),
  };
  const options = { halfCloseTimeout: 20, preventClose: { b: true } };
  assertEquals((await join(slow, end, options)).ended, "timeout");
  assertEquals(await new Response(end.readable).text(), "meanwhile");
  await end.close?.();
});

// Deno's own socket is closed whole at its `end()` (2.9).
const takes = { on: ["node", "bun"] } as const;
test("fromNodeSocket: one that a join left open takes what is written", takes, async () => {
  const { client, end } = await leftOpen("eof");
  let received = 0;
  client.on("data", (chunk) => received += (chunk as Uint8Array).length);
  const writer = end.writable.getWriter();
  await writer.write(new Uint8Array(8 * 1024 * 1024));
  await writer.close();
  if (!client.readableEnded) await once(client, "end");
  assertEquals(received, 8 * 1024 * 1024);
});

test("fromNodeSocket: one that a join left open tells the next of a reset", async () => {
  const { client, end } = await leftOpen("timeout");
  client.resetAndDestroy();
  // Nobody hears of it as long as nobody reads.
  await delay(50);
  const { end: which, side } = await rejection(join(end, memoryPair()[0])) as JoinError;
  assertEquals([which, side], ["a", "read"]);
});

test("fromNodeSocket: an end that comes before anybody reads is kept", async () => {
  const [client, socket] = await sockets();
  const end = fromNodeSocket(socket);
  client.end();
  await delay(50);
  assertEquals(await new Response(end.readable).text(), "");
  await end.writable.close();
});

test("a socket does not let small writes wait, and may be told otherwise", async () => {
  const [near, far] = await sockets();
  const { socket, calls } = spied(near);
  fromNodeSocket(socket);
  assertEquals(calls, [true]);
  socket.setNoDelay(false);
  fromNodeSocket(socket);
  assertEquals(calls, [true, false]);
  for (const end of [near, far]) end.destroy();
});

for (const noDelay of [undefined, true, false]) {
  test(`a socket is connected with noDelay: ${noDelay}`, async () => {
    const spies: ReturnType<typeof spied>[] = [];
    const end = connectNodeSocket((options: NetConnectOpts) => {
      const spy = spied(new Socket(options));
      spies.push(spy);
      return spy.socket.connect(options);
    }, { host, port: await refusingPort(), noDelay });
    await rejection(end.readable.getReader().read());
    assertEquals(spies[0].calls.at(-1), noDelay ?? true);
  });
}
