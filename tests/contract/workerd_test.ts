/** The contract over workerd's `connect()`: its sockets are ends as they are. */
import type * as sockets from "../workers/cloudflare.d.ts";
import { join, memoryPair, pipe } from "@webstreams/join";
import { assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { capabilitiesOf, contract } from "./suite.ts";
import { test } from "../harness.ts";
import { Fingerprint, hashOf } from "../support/parcels.ts";
import { listen } from "../peer/client.ts";
import { rejection, turns } from "../support/async.ts";
import { platform } from "../support/environment.ts";
import { joinError } from "../support/errors.ts";

const name = "workerd connect()";

/** For a read by a default reader. */
const FOUND_BYTES = 4096;

async function connected({ hostname, port }: { hostname: string; port: number }) {
  // In a variable, as no other runtime, and no bundler, knows the scheme.
  const specifier: string = "cloudflare:sockets";
  const { connect }: typeof sockets = await import(specifier);
  return connect({ hostname, port }, { allowHalfOpen: true });
}

contract(name, capabilitiesOf(name, platform), async (options) => {
  const peer = await listen("tcp", options);
  const socket = await connected(peer.address);
  // It rejects with whatever the socket was aborted with.
  return { end: socket, peer, dispose: () => socket.close().catch(() => {}) };
}, {
  // A writable of workerd's that is closed or aborted is locked for good.
  staysLocked: true,
});

test(
  "reason: workerd does not tell who refuses from 'unreachable'",
  { on: ["workerd"] },
  async () => {
    const peer = await listen("tcp");
    await peer.dispose();
    const socket = await connected(peer.address);
    const error = await joinError(join(socket, memoryPair()[0]));
    assertEquals([error.reason, error.first], ["unreachable", "a"], String(error.cause));
  },
);

const parcel = { bytes: 4 * 1024 * 1024, seed: 1 };

/** A socket with all of that in the kernel, or on its way. */
async function sentTo() {
  const peer = await listen("tcp");
  const socket = await connected(peer.address);
  const sent = peer.send(parcel).then(() => peer.finish());
  await peer.until({ quiet: 200 });
  const dispose = async () => {
    await socket.close();
    await sent.catch(() => {});
    await peer.dispose();
  };
  return { socket, dispose };
}

test(
  "workerd connect(): a default reader finds little memory for a read (green until it finds more)",
  {
    on: ["workerd"],
  },
  async () => {
    const { socket, dispose } = await sentTo();
    const { value } = await socket.readable.getReader().read();
    assertEquals(value!.length, FOUND_BYTES);
    await dispose();
  },
);

test("workerd connect(): pipe finds more", { on: ["workerd"] }, async () => {
  const { socket, dispose } = await sentTo();
  const received = new Fingerprint();
  const { chunks } = await pipe(
    socket.readable,
    new WritableStream({ write: (chunk: Uint8Array) => received.update(chunk) }),
  );
  assertEquals(received.hash, hashOf(parcel));
  assertLess(chunks, parcel.bytes / FOUND_BYTES / 2);
  await dispose();
});

test("workerd connect(): a pipe that is aborted in a read leaves it locked", {
  on: ["workerd"],
}, async () => {
  const peer = await listen("tcp");
  const socket = await connected(peer.address);
  const controller = new AbortController();
  const { signal } = controller;
  const piped = rejection(
    pipe(socket.readable, new WritableStream(), { preventCancel: true, signal }),
  );
  await peer.send({ bytes: 1 });
  await turns();
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await piped, reason);
  assertEquals(socket.readable.locked, true);
  await socket.close();
  await peer.dispose();
});
