/**
 * What is special about Bun's sockets: events that come before anybody asks, sockets that are not
 * half-open, and the ways in which a failure looks like an end.
 *
 * @module
 */
import { join, JoinError, memoryPair } from "@webstreams/join";
import { type BunSocket, fromBunSocket, handlers } from "@webstreams/join/bun";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { test } from "../../harness.ts";
import { hashOf } from "../../support/parcels.ts";
import { certificate, dial, type RemoteFar } from "../../peer/client.ts";
import { FarEnd, type FarOptions } from "../../peer/far_end.ts";
import type { Protocol } from "../../peer/protocol.ts";
import { PairWire } from "../../peer/wires/memory.ts";
import { deferred, delay, rejection } from "../../support/async.ts";
import type { Handlers, SocketOptions } from "../../tools/bun.ts";
import { bun, listenOnce } from "./runtime.ts";

const MIB = 1024 * 1024;
/** More than the kernel takes by itself: on Linux `tcp_rmem` and `tcp_wmem`, 36 MiB at most by default. */
const MUCH = { bytes: 96 * MIB, seed: 2 };
const QUIET_MS = 200;
const hostname = "127.0.0.1";
const hello = { bytes: 1234, seed: 1 };
const on = ["bun"] as const;

/** An accepted socket and its peer, half-open unless told otherwise. */
async function connected(
  options: Partial<SocketOptions> = {},
  far: FarOptions = {},
  protocol: Protocol = "tcp",
): Promise<{ readonly socket: BunSocket; readonly peer: RemoteFar }> {
  const { cert, key } = await certificate();
  const tls = protocol === "tls" ? { cert, key } : undefined;
  const { port, accepted } = listenOnce({
    hostname,
    port: 0,
    allowHalfOpen: true,
    socket: handlers,
    tls,
    ...options,
  });
  const peer = await dial(protocol, { port, ca: cert }, far);
  return { socket: await accepted, peer };
}

/** Joins a socket with an end in memory; gives the far side of that. */
function joinToMemory(socket: BunSocket, options: FarOptions = {}) {
  const [here, there] = memoryPair();
  const joined = join(fromBunSocket(socket), here);
  joined.catch(() => {});
  return { joined, local: new FarEnd(new PairWire(there), options) };
}

/** Fulfils with what it reads, or with the error that ends it. */
async function readAll(readable: ReadableStream<Uint8Array>): Promise<[string, unknown?]> {
  let text = "";
  try {
    for await (const chunk of readable.pipeThrough(new TextDecoderStream())) text += chunk;
  } catch (error) {
    return [text, error];
  }
  return [text];
}

/** The handlers, with word of when the socket has been closed. */
function noting(more: Handlers = {}) {
  const closed = deferred<Error | undefined>();
  const ended = deferred();
  return {
    closed: closed.promise,
    ended: ended.promise,
    socket: {
      ...handlers,
      ...more,
      end(socket) {
        handlers.end(socket);
        ended.resolve();
      },
      close(socket, error) {
        handlers.close(socket, error);
        closed.resolve(error);
      },
    } satisfies Handlers,
  };
}

for (const protocol of ["tcp", "tls"] as const) {
  test(`bun: what comes before anybody asks is kept (${protocol})`, { on }, async () => {
    const { socket, peer } = await connected({}, {}, protocol);
    try {
      await peer.send(hello);
      await peer.finish();
      await peer.until({ quiet: QUIET_MS });
      const { joined, local } = joinToMemory(socket);
      await local.finish();
      await joined;
      const { received, hash, ended: { how } } = await local.stats();
      assertEquals([received, hash, how], [hello.bytes, hashOf(hello), "eof"]);
    } finally {
      await peer.dispose();
    }
  });

  test(`bun: so is an end of file that comes alone (${protocol})`, { on }, async () => {
    const { ended, socket: told } = noting();
    const { socket, peer } = await connected({ socket: told }, {}, protocol);
    try {
      await peer.finish();
      await ended;
      const { joined, local } = joinToMemory(socket);
      await local.send(hello);
      await local.finish();
      assertEquals((await joined).ended, "eof");
      assertEquals((await local.stats()).ended.how, "eof");
      assertEquals((await peer.until({ ended: true })).hash, hashOf(hello));
    } finally {
      await peer.dispose();
    }
  });
}

test("bun: much that comes before anybody asks stays with the peer", { on }, async () => {
  const { socket, peer } = await connected();
  try {
    const sending = peer.send(MUCH);
    const { sent } = await peer.until({ sent: 1, quiet: QUIET_MS });
    assertLess(sent, MUCH.bytes);
    const { joined, local } = joinToMemory(socket);
    await sending;
    assertEquals((await local.until({ received: MUCH.bytes })).hash, hashOf(MUCH));
    await Promise.all([local.finish(), peer.finish(), joined]);
  } finally {
    await peer.dispose();
  }
});

test("bun: so does what comes after somebody has read from the streams", { on }, async () => {
  const { socket, peer } = await connected();
  try {
    const { readable } = fromBunSocket(socket);
    void peer.send(MUCH).catch(() => {});
    await readable.getReader().read();
    assertLess((await peer.until({ sent: 1, quiet: QUIET_MS })).sent, MUCH.bytes);
  } finally {
    socket.terminate();
    await peer.dispose();
  }
});

test(
  "bun: a reset that comes before anybody asks is kept, with the bytes before",
  { on },
  async () => {
    const { closed, socket: told } = noting();
    const { socket, peer } = await connected({ socket: told });
    try {
      await peer.send(hello);
      await peer.until({ quiet: QUIET_MS });
      await peer.reset();
      const cause = await closed;
      assertInstanceOf(cause, Error);
      const { joined, local } = joinToMemory(socket);
      const error = await rejection(joined);
      assertInstanceOf(error, JoinError);
      assertStrictEquals(error.cause, cause);
      assertEquals([error.end, error.side, error.aToB.bytes], ["a", "read", hello.bytes]);
      assertEquals((await local.until({ ended: true })).ended.how, "reset");
    } finally {
      await peer.dispose();
    }
  },
);

test("bun: so is a reset that comes alone", { on }, async () => {
  const { closed, socket: told } = noting();
  const { socket, peer } = await connected({ socket: told });
  try {
    await peer.reset();
    const cause = await closed;
    const error = await rejection(joinToMemory(socket).joined);
    assertInstanceOf(error, JoinError);
    assertStrictEquals(error.cause, cause);
  } finally {
    await peer.dispose();
  }
});

test("bun: a socket that is closed by its owner is none", { on }, async () => {
  for (const how of ["close", "terminate"] as const) {
    const { closed, socket: told } = noting();
    const { socket, peer } = await connected({ socket: told });
    try {
      await peer.send(hello);
      await peer.until({ quiet: QUIET_MS });
      socket[how]();
      await closed;
      assertStringIncludes(
        assertThrows(() => fromBunSocket(socket), TypeError).message,
        "must not be closed",
      );
    } finally {
      await peer.dispose();
    }
  }
});

test("bun: a socket has one end, until it is closed", { on }, async () => {
  const { socket, peer } = await connected();
  try {
    assertStrictEquals(fromBunSocket(socket), fromBunSocket(socket));
    const { joined, local } = joinToMemory(socket);
    await Promise.all([local.finish(), peer.finish()]);
    await joined;
    await peer.until({ ended: true });
    assertThrows(() => fromBunSocket(socket), TypeError);
  } finally {
    await peer.dispose();
  }
});

test("bun: the owner keeps `open`, `handshake` and the socket's `data`", { on }, async () => {
  const events: string[] = [];
  const joined = deferred<ReturnType<typeof joinToMemory>>();
  const { socket, peer } = await connected(
    {
      socket: {
        ...handlers,
        open: (socket) => {
          events.push("open");
          Object.assign(socket, { data: "mine" });
          joined.resolve(joinToMemory(socket, { echo: true }));
        },
        handshake: () => void events.push("handshake"),
      },
    },
    {},
    "tls",
  );
  try {
    await peer.send(hello);
    await peer.finish();
    assertEquals((await peer.until({ ended: true })).hash, hashOf(hello));
    assertEquals((await (await joined.promise).joined).ended, "eof");
    assertEquals(events, ["open", "handshake"]);
    assertEquals(Reflect.get(socket, "data"), "mine");
  } finally {
    await peer.dispose();
  }
});

test("bun: another `binaryType` of the owner's makes no difference", { on }, async () => {
  for (const binaryType of ["arraybuffer", "buffer", "uint8array"] as const) {
    const { socket, peer } = await connected({ socket: { ...handlers, binaryType } });
    try {
      const reader = fromBunSocket(socket).readable.getReader();
      await peer.send({ bytes: 3 });
      const { value } = await reader.read();
      assertInstanceOf(value, Uint8Array);
      assertEquals(value.length, 3);
    } finally {
      socket.terminate();
      await peer.dispose();
    }
  }
});

test("bun: the example of fromBunSocket", { on }, async () => {
  const hello = new TextEncoder().encode("hello");
  const { port } = listenOnce({
    hostname,
    port: 0,
    socket: {
      data: () => {},
      open: (socket) => {
        socket.write(hello);
        socket.close();
      },
    },
  });
  const socket = await bun.connect({ hostname, port, allowHalfOpen: true, socket: handlers });
  const { readable, writable } = fromBunSocket(socket);
  assertEquals(await new Response(readable).text(), "hello");
  await writable.close();
});

test("bun: chunks are plain Uint8Arrays", { on }, async () => {
  const { socket, peer } = await connected();
  try {
    await peer.send({ bytes: 3 });
    const { value } = await fromBunSocket(socket).readable.getReader().read();
    assertStrictEquals(Object.getPrototypeOf(value), Uint8Array.prototype);
  } finally {
    socket.terminate();
    await peer.dispose();
  }
});

test("bun: without allowHalfOpen, a peer that ends is a clean end of both", { on }, async () => {
  const { socket, peer } = await connected({ allowHalfOpen: false });
  try {
    const { joined, local } = joinToMemory(socket);
    await peer.send(hello);
    await peer.finish();
    assertEquals((await local.until({ ended: true })).hash, hashOf(hello));
    await local.finish();
    assertEquals((await joined).ended, "eof");
    assertEquals((await peer.until({ ended: true })).ended.how, "eof");
  } finally {
    await peer.dispose();
  }
});

test("bun: without allowHalfOpen, what is still to be written fails", { on }, async () => {
  const { socket, peer } = await connected({ allowHalfOpen: false });
  try {
    const { joined, local } = joinToMemory(socket);
    await peer.finish();
    await local.until({ ended: true });
    // Bun closes it by itself, at times a turn later.
    while (socket.readyState > 0) await delay(1);
    void local.send(hello).catch(() => {});
    const error = await rejection(joined);
    assertInstanceOf(error, JoinError);
    assertEquals([error.end, error.side, error.bToA.bytes], ["a", "write", 0]);
  } finally {
    await peer.dispose();
  }
});

test("bun: without allowHalfOpen, so does what is being written", { on }, async () => {
  const { socket, peer } = await connected({ allowHalfOpen: false }, { paused: true });
  try {
    const { joined, local } = joinToMemory(socket);
    void local.send(MUCH).catch(() => {});
    await local.until({ sent: 1, quiet: QUIET_MS });
    await peer.finish();
    const error = await rejection(joined);
    assertInstanceOf(error, JoinError);
    assertEquals([error.end, error.side], ["a", "write"]);
  } finally {
    await peer.dispose();
  }
});

test("bun: a reset that a write meets first is no end of file", { on }, async () => {
  // Both in this process: the write must come in the turn of the reset, before Bun has seen it.
  const { port, accepted } = listenOnce({
    hostname,
    port: 0,
    allowHalfOpen: true,
    socket: handlers,
  });
  const socket = await bun.connect({ hostname, port, allowHalfOpen: true, socket: handlers });
  const far = await accepted;
  const { readable, writable } = fromBunSocket(socket);
  const reading = readAll(readable);
  far.terminate();
  const error = await rejection(writable.getWriter().write(new Uint8Array(1)));
  assertInstanceOf(error, Error);
  assertEquals(await reading, ["", error]);
  socket.terminate();
});

test("bun: an end of file waits for the TLS handshake", { on }, async () => {
  const { cert, key } = await certificate();
  const { port, accepted } = listenOnce({
    hostname,
    port: 0,
    allowHalfOpen: true,
    tls: { cert, key },
    socket: handlers,
  });
  const tls = { ca: cert };
  const near = await bun.connect({ hostname, port, tls, allowHalfOpen: true, socket: handlers });
  // Bun's promise does not wait for the handshake either.
  const { readable, writable } = fromBunSocket(near);
  const closed = writable.close();
  const far = fromBunSocket(await accepted);
  assertEquals(await readAll(far.readable), [""]);
  await closed;
  const writer = far.writable.getWriter();
  await writer.write(new TextEncoder().encode("a greeting"));
  await writer.close();
  assertEquals(await readAll(readable), ["a greeting"]);
});

test("bun: after our end, a TLS connection that is cut is no end of file", { on }, async () => {
  const { cert, key } = await certificate();
  const socket = handlers;
  const behind = listenOnce({ hostname, port: 0, allowHalfOpen: true, tls: { cert, key }, socket });
  const carrier = listenOnce({ hostname, port: 0, allowHalfOpen: true, socket });
  const near = await bun.connect({
    ...{ hostname, port: carrier.port, allowHalfOpen: true, socket },
    tls: { ca: cert },
  });
  const carried = await carrier.accepted;
  const onward = await bun.connect({ hostname, port: behind.port, allowHalfOpen: true, socket });
  join(fromBunSocket(carried), fromBunSocket(onward)).catch(() => {});
  const [here, there] = memoryPair();
  const joined = join(fromBunSocket(near), here);
  await there.writable.close();
  assertEquals(await readAll(fromBunSocket(await behind.accepted).readable), [""]);
  // FIN, without what TLS says at its end.
  carried.shutdown();
  const error = await rejection(joined);
  assertInstanceOf(error, JoinError);
  assertEquals(error.reason, "protocol", String(error.cause));
  carried.terminate();
});

test("bun: a socket that its owner closes during the join is 'closed'", { on }, async () => {
  const { port, accepted } = listenOnce({ hostname, port: 0, socket: handlers });
  const near = await bun.connect({ hostname, port, allowHalfOpen: true, socket: handlers });
  const joined = join(fromBunSocket(near), memoryPair()[0]);
  await accepted;
  near.close();
  const error = await rejection(joined);
  assertInstanceOf(error, JoinError);
  assertEquals([error.reason, error.first], ["closed", "a"], String(error.cause));
});

test("bun: a TLS connection that is not trusted fails", { on }, async () => {
  const { cert, key } = await certificate();
  const listener = { hostname, port: 0, allowHalfOpen: true, socket: handlers };
  const { port } = listenOnce({ ...listener, tls: { cert, key } });
  const near = await bun.connect({ ...listener, port, tls: { rejectUnauthorized: true } });
  const [here, there] = memoryPair();
  const other = new FarEnd(new PairWire(there));
  await other.finish();
  const error = await rejection(join(fromBunSocket(near), here));
  assertInstanceOf(error, JoinError);
  assertEquals(error.reason, "protocol", String(error.cause));
  assert(near.readyState <= 0, "it is still open");
});

test("bun: a chunk is freed once it is written, and no earlier", { on }, async () => {
  const received: Uint8Array[] = [];
  const data: Handlers["data"] = (socket, chunk) => {
    received.push(chunk as Uint8Array);
    handlers.data(socket, chunk as Uint8Array);
  };
  const { socket, peer } = await connected({ socket: { ...handlers, data } });
  const { socket: onward, peer: far } = await connected();
  const joined = join(fromBunSocket(socket), fromBunSocket(onward));
  const parcel = { bytes: MIB, seed: 7 };
  try {
    await peer.send(parcel);
    await Promise.all([peer.finish(), far.finish()]);
    await joined;
    assertEquals((await far.until({ ended: true })).hash, hashOf(parcel));
    // All but small ones, and the last.
    const freed = received.filter(({ length }) => length === 0);
    assert(freed.length > 0, `${freed.length} of ${received.length} have been freed`);
  } finally {
    await Promise.all([peer.dispose(), far.dispose()]);
  }
});
