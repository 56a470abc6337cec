/**
 * What `./bun` knows about Bun's sockets: held to be so, in order to see when Bun changes.
 *
 * @module
 */
import type { BunSocket } from "@webstreams/join/bun";
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { test } from "../../harness.ts";
import { certificate } from "../../peer/client.ts";
import { deferred, delay } from "../../support/async.ts";
import type { Handlers } from "../../tools/bun.ts";
import { bun, listenOnce } from "./runtime.ts";

const QUIET_MS = 200;
const hostname = "127.0.0.1";
const allowHalfOpen = true;
const on = ["bun"] as const;

/** A socket that notes what Bun tells it. */
interface Side {
  readonly socket: BunSocket;
  readonly events: string[];
  /** It is open; over TLS, its handshake is done. */
  readonly opened: Promise<void>;
  readonly ended: Promise<void>;
  readonly closed: Promise<void>;
}

function noting(more: Handlers = {}): Omit<Side, "socket"> & { readonly handlers: Handlers } {
  const events: string[] = [];
  const [opened, ended, closed] = [deferred(), deferred(), deferred()];
  const handlers: Handlers = {
    open: () => opened.resolve(),
    data: (_, { length }) => void events.push(`data ${length}`),
    drain: () => {},
    end: () => {
      events.push("end");
      ended.resolve();
    },
    close: (_, error) => {
      events.push(error ? "close with an error" : "close");
      closed.resolve();
    },
    ...more,
  };
  return {
    events,
    opened: opened.promise,
    ended: ended.promise,
    closed: closed.promise,
    handlers,
  };
}

/** Two connected sockets. */
async function connected(
  secure = false,
  ofNear: Handlers = {},
): Promise<{ near: Side; far: Side }> {
  const [near, far] = [noting(ofNear), noting()];
  const { cert, key } = await certificate();
  const { port, accepted } = listenOnce({
    ...{ hostname, port: 0, allowHalfOpen, socket: far.handlers },
    tls: secure ? { cert, key } : undefined,
  });
  const socket = await bun.connect({
    ...{ hostname, port, allowHalfOpen, socket: near.handlers },
    tls: secure ? { ca: cert } : undefined,
  });
  const sides = { near: { ...near, socket }, far: { ...far, socket: await accepted } };
  await Promise.all([near.opened, far.opened]);
  return sides;
}

test("Bun: after our FIN, the peer's is a close without an end", { on }, async () => {
  const { near, far } = await connected();
  near.socket.shutdown();
  await far.ended;
  far.socket.shutdown();
  await Promise.all([near.closed, far.closed]);
  assertEquals([near.events, far.events], [["close"], ["end", "close"]]);
});

test("Bun: but not over TLS", { on }, async () => {
  const { near, far } = await connected(true);
  near.socket.shutdown();
  await far.ended;
  far.socket.shutdown();
  await near.closed;
  assertEquals(near.events, ["end", "close"]);
});

test("Bun: a write that meets a reset makes an end of it", { on }, async () => {
  const { near, far } = await connected();
  far.socket.terminate();
  assertEquals(near.socket.write(new Uint8Array(1)), -1);
  await near.closed;
  assertEquals(near.events, ["end", "close"]);
});

test("Bun: any other reset is a close with an error, even while paused", { on }, async () => {
  const { near, far } = await connected();
  near.socket.pause();
  far.socket.terminate();
  await near.closed;
  assertEquals(near.events, ["close with an error"]);
});

test("Bun: FIN keeps nothing of what a write has not taken", { on }, async () => {
  const { near, far } = await connected();
  far.socket.pause();
  const bytes = new Uint8Array(64 * 1024 * 1024);
  const taken = near.socket.write(bytes);
  assertLess(taken, bytes.length);
  near.socket.shutdown();
  far.socket.resume();
  await far.ended;
  far.socket.terminate();
  const came = far.events.map((event) => Number(/^data (\d+)/.exec(event)?.[1] ?? 0));
  assertEquals(came.reduce((sum, count) => sum + count), taken);
});

test(
  "Bun: without a cipher's name, the handshake is under way; FIN breaks it off",
  { on },
  async () => {
    const greeting = deferred<number>();
    const [near, far] = [noting(), noting({ open: (socket) => greeting.resolve(greet(socket)) })];
    const { cert, key } = await certificate();
    const { port } = listenOnce({
      ...{ hostname, port: 0, allowHalfOpen, tls: { cert, key }, socket: far.handlers },
    });
    const tls = { ca: cert };
    const socket = await bun.connect({ hostname, port, allowHalfOpen, tls, socket: near.handlers });
    assertEquals(socket.getCipher?.()?.name, null);
    socket.shutdown();
    assertEquals(await greeting.promise, -1);
    await near.closed;
    assertEquals(near.events, ["close"]);
  },
);

test("Bun: a cipher has a name once the handshake is done; TCP has none", { on }, async () => {
  const secure = await connected(true);
  assertMatch(String(secure.near.socket.getCipher?.()?.name), /^TLS_/);
  secure.near.socket.terminate();
  const plain = await connected();
  assertEquals(plain.near.socket.getCipher?.(), undefined);
  plain.near.socket.terminate();
});

test("Bun: paused in `open`, a handshake that has a handler is never done", { on }, async () => {
  const [near, far] = [noting(), noting()];
  const { cert, key } = await certificate();
  let done = false;
  const shaken = deferred();
  const { port, accepted } = listenOnce({
    ...{ hostname, port: 0, allowHalfOpen, tls: { cert, key } },
    socket: {
      ...far.handlers,
      open: (socket) => socket.pause(),
      handshake: () => {
        done = true;
        shaken.resolve();
      },
    },
  });
  const tls = { ca: cert };
  const socket = await bun.connect({ hostname, port, allowHalfOpen, tls, socket: near.handlers });
  const paused = await accepted;
  await delay(QUIET_MS);
  assertEquals(done, false);
  paused.resume();
  await shaken.promise;
  socket.terminate();
});

function greet(socket: BunSocket): number {
  return socket.write(new TextEncoder().encode("a greeting"));
}
