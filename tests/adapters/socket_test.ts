/** What `fromSocket` makes of sockets whose streams come later, as those of Direct Sockets. */
import { join, memoryPair, type Pair } from "@webstreams/join";
import { fromSocket, type SocketStreams } from "@webstreams/join/socket";
import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { runtime, test } from "../harness.ts";
import { FarEnd } from "../peer/far_end.ts";
import { hashOf } from "../support/parcels.ts";
import { PairWire } from "../peer/wires/memory.ts";
import { type Deferred, deferred, never, rejection, turns } from "../support/async.ts";
import { WITH_BYTE_STREAMS } from "../support/environment.ts";
import { joinError } from "../support/errors.ts";
import { untyped } from "../support/untyped.ts";

const on = WITH_BYTE_STREAMS;

/** As the standard has it: https://wicg.github.io/direct-sockets/#tcpsocket-interface */
class DirectSocket {
  readonly opened: Promise<SocketStreams>;
  readonly closed = never();
  /** What `close()` has come to each time. */
  readonly closes: string[] = [];
  readonly #streams: Pair;
  readonly #opening: Deferred<SocketStreams> = deferred();
  #isOpen = false;

  constructor(streams: Pair) {
    this.#streams = streams;
    this.opened = this.#opening.promise;
  }

  open(): void {
    this.#isOpen = true;
    const { readable, writable } = this.#streams;
    this.#opening.resolve({ readable, writable });
  }

  fail(error: Error): void {
    this.#opening.reject(error);
  }

  async close(): Promise<void> {
    const { readable, writable } = this.#streams;
    const refusal = !this.#isOpen ? "not open" : readable.locked || writable.locked ? "locked" : "";
    this.closes.push(refusal || "closed");
    if (refusal) throw new DOMException(refusal, "InvalidStateError");
    await Promise.allSettled([readable.cancel(), writable.close()]);
  }
}

function connected() {
  const [streams, there] = memoryPair();
  const [end, here] = memoryPair();
  const far = (pair: Pair) => new FarEnd(new PairWire(pair));
  return { socket: new DirectSocket(streams), peer: far(there), end, local: far(here) };
}

test("fromSocket: Direct Sockets: all passes both ways, once it is open", { on }, async () => {
  const { socket, peer, end, local } = connected();
  const joined = join(fromSocket(socket), end);
  const [out, back] = [{ bytes: 300_001, seed: 1 }, { bytes: 200_003, seed: 2 }];
  const sent = [local.send(out), peer.send(back)];
  await turns();
  socket.open();
  assertEquals((await peer.until({ received: out.bytes })).hash, hashOf(out));
  assertEquals((await local.until({ received: back.bytes })).hash, hashOf(back));
  await Promise.all(sent);
  await local.finish();
  assertEquals((await peer.until({ ended: true })).ended.how, "eof");
  await peer.send({ bytes: 10 });
  await peer.finish();
  const { aToB, bToA, ended } = await joined;
  assertEquals([aToB.bytes, bToA.bytes, ended], [back.bytes + 10, out.bytes, "eof"]);
  assertEquals(socket.closes, ["closed"]);
});

test("fromSocket: what `opened` rejects with is the join's", { on }, async () => {
  const { socket, end } = connected();
  const error = new Error("no such host");
  const joined = joinError(join(fromSocket(socket), end));
  await turns();
  socket.fail(error);
  const { cause, end: failed } = await joined;
  assertStrictEquals(cause, error);
  assertEquals(failed, "a");
});

test("fromSocket: nor does it need a join to be heard of", { on }, async () => {
  const { socket } = connected();
  const { readable, writable } = fromSocket(socket);
  const error = new Error("no such host");
  socket.fail(error);
  assertStrictEquals(await rejection(readable.getReader().closed), error);
  assertStrictEquals(await rejection(writable.getWriter().closed), error);
});

test("fromSocket: given up while it opens, it is closed once it is open", { on }, async () => {
  const { socket, end } = connected();
  const controller = new AbortController();
  const joined = join(fromSocket(socket), end, { signal: controller.signal });
  await turns();
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await rejection(joined), reason);
  assertEquals(socket.closes, ["not open"]);
  socket.open();
  await turns();
  assertEquals(socket.closes, ["not open", "closed"]);
});

test("fromSocket: torn down, its streams are unlocked before it is closed", { on }, async () => {
  const { socket, peer, end, local } = connected();
  socket.open();
  const controller = new AbortController();
  const joined = join(fromSocket(socket), end, { signal: controller.signal });
  await local.send({ bytes: 10 });
  await peer.until({ received: 10 });
  controller.abort();
  await rejection(joined);
  assertEquals(socket.closes, ["closed"]);
  // A socket of workerd's is closed, as an abort would leave it open.
  const { ended } = await peer.until({ ended: true });
  assertEquals(ended.how, runtime === "workerd" ? "eof" : "reset");
});

test("fromSocket: without allowHalfOpen its end is that of both directions", { on }, async () => {
  const { socket, peer, end, local } = connected();
  socket.open();
  const joined = join(fromSocket(socket, { allowHalfOpen: false }), end);
  await peer.send({ bytes: 10 });
  await peer.finish();
  assertEquals((await local.until({ ended: true })).received, 10);
  await local.send({ bytes: 20 });
  await local.finish();
  const { aToB, bToA, ended } = await joined;
  assertEquals([aToB.bytes, bToA.bytes, ended], [10, 0, "eof"]);
});

test("fromSocket: one that opens with no two streams fails the join", { on }, async () => {
  const socket = { opened: Promise.resolve({ readable: {} }), close() {} };
  const { cause } = await joinError(join(fromSocket(socket), memoryPair()[0]));
  assertInstanceOf(cause, TypeError);
  assertEquals(
    cause.message,
    "Cannot make an end of a socket as 'opened' must fulfil with 'readable' and 'writable': " +
      "got an object (Object)",
  );
});

test("fromSocket: refuses what is no socket", { on }, () => {
  const rule = "must be one of the Sockets API, or of Direct Sockets";
  const [{ readable, writable }] = memoryPair();
  const close = () => {};
  const refused = (value: unknown, message: string, options = {}) => {
    const { message: text } = assertThrows(() => fromSocket(untyped(value), options), TypeError);
    assertEquals(text.includes(message), true, text);
  };
  for (const value of [undefined, null, 1, {}, { close }, { readable, writable }]) {
    refused(value, rule);
  }
  refused({ readable, close }, rule);
  refused(Promise.resolve({ readable, writable, close }), `${rule}, awaited`);
  refused({ readable, writable, close }, "'allowHalfOpen' must be a boolean", {
    allowHalfOpen: 1,
  });
  refused({ readable, writable, close }, "must have no more than 'allowHalfOpen'", { half: true });
  readable.getReader();
  refused({ readable, writable, close }, "must not have a locked stream");
});
