/** `fromSocket` over workerd's `connect()`: the contract, and what it adds to the socket itself. */
import type * as sockets from "../workers/cloudflare.d.ts";
import { join, memoryPair } from "@webstreams/join";
import { fromSocket } from "@webstreams/join/socket";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { capabilitiesOf, contract } from "./suite.ts";
import { test } from "../harness.ts";
import { listen } from "../peer/client.ts";
import { FarEnd } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import { rejection } from "../support/async.ts";
import { platform } from "../support/environment.ts";
import { joinError } from "../support/errors.ts";

const name = "fromSocket";

async function connected(
  { hostname, port }: { hostname: string; port: number },
  allowHalfOpen: boolean,
) {
  // In a variable, as no other runtime, and no bundler, knows the scheme.
  const specifier: string = "cloudflare:sockets";
  const { connect }: typeof sockets = await import(specifier);
  return connect({ hostname, port }, { allowHalfOpen });
}

if (platform === "workerd") {
  contract(name, capabilitiesOf(name, platform), async (options) => {
    const peer = await listen("tcp", options);
    const socket = await connected(peer.address, true);
    return { end: fromSocket(socket, { allowHalfOpen: true }), peer };
  });
}

test("fromSocket: workerd: a failure to connect is what `opened` says", {
  on: ["workerd"],
}, async () => {
  const peer = await listen("tcp");
  await peer.dispose();
  const socket = await connected(peer.address, true);
  const opened = rejection(socket.opened);
  const error = await joinError(join(fromSocket(socket), memoryPair()[0]));
  assertStrictEquals(error.cause, await opened);
  assertEquals([error.reason, error.first], ["unreachable", "a"]);
});

test("fromSocket: workerd: without allowHalfOpen the server's end is that of both directions", {
  on: ["workerd"],
}, async () => {
  const peer = await listen("tcp");
  const socket = await connected(peer.address, false);
  const [end, there] = memoryPair();
  const local = new FarEnd(new PairWire(there));
  // By the option's default, which is the platform's.
  const joined = join(fromSocket(socket), end);
  await peer.send({ bytes: 10 });
  await peer.finish();
  assertEquals((await local.until({ ended: true })).received, 10);
  await local.send({ bytes: 20 });
  await local.finish();
  const { aToB, bToA, ended } = await joined;
  assertEquals([aToB.bytes, bToA.bytes, ended], [10, 0, "eof"]);
  assert((await peer.until({ ended: true })).ended.how === "eof");
  await peer.dispose();
});
