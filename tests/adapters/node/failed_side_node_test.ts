/**
 * Of a join's failure, `side` is the one that the platform says has failed, whichever of an end's two
 * halves waits.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type End, join, JoinError, memoryPair } from "@webstreams/join";
import { fromBunSocket, handlers } from "@webstreams/join/bun";
import { fromNodeSocket } from "@webstreams/join/node";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { type Runtime, test } from "../../harness.ts";
import { listen } from "../../peer/client.ts";
import { rejection, turns } from "../../support/async.ts";
import { bun, listenOnce } from "../bun/runtime.ts";

const hostname = "127.0.0.1";
const allowHalfOpen = true;

/** An end, and what resets it from the other side, which is in this process: at once. */
interface Resettable {
  readonly end: End;
  reset(): void;
}

async function nodeSocket(): Promise<Resettable> {
  const server = createServer({ allowHalfOpen }).listen(0, hostname);
  await once(server, "listening");
  const accepted = once(server, "connection");
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: hostname, port, allowHalfOpen });
  const [far] = await accepted as [Socket];
  server.close();
  far.on("error", () => {});
  if (client.connecting) await once(client, "connect");
  return { end: fromNodeSocket(client), reset: () => void far.resetAndDestroy() };
}

async function bunSocket(): Promise<Resettable> {
  const options = { hostname, port: 0, allowHalfOpen, socket: handlers };
  const { port, accepted } = listenOnce(options);
  const near = await bun.connect({ ...options, port });
  const far = await accepted;
  return { end: fromBunSocket(near), reset: () => far.terminate() };
}

const kinds: readonly (readonly [string, readonly Runtime[], () => Promise<Resettable>])[] = [
  ["a Node socket", ["deno", "node", "bun"], nodeSocket],
  ["a Bun socket", ["bun"], bunSocket],
];

for (const [kind, on, open] of kinds) {
  for (const via of ["auto", "streams", "pipeTo"] as const) {
    test(
      `${kind}: a write that meets a reset has failed, not a read (${via})`,
      { on },
      async () => {
        const { end, reset } = await open();
        if (via === "streams" && "readable" in end) void [end.readable, end.writable];
        const [here, there] = memoryPair();
        const writer = there.writable.getWriter();
        const joined = join(here, end, { via: via === "pipeTo" ? via : "auto" });
        joined.catch(() => {});
        await writer.write(new Uint8Array(1));
        // Its reads wait by now.
        await turns();
        // Both in one turn: the write is the first to see it.
        reset();
        writer.write(new Uint8Array(1)).catch(() => {});
        const error = await rejection(joined);
        assertInstanceOf(error, JoinError);
        assertEquals(
          [error.end, error.side, error.direction],
          ["b", "write", "aToB"],
          error.message,
        );
      },
    );
  }

  for (const via of ["auto", "streams", "pipeTo"] as const) {
    test(`${kind}: a reset that a read meets is a failed read (${via})`, { on }, async () => {
      const { end, reset } = await open();
      if (via === "streams" && "readable" in end) void [end.readable, end.writable];
      const joined = join(memoryPair()[0], end, { via: via === "pipeTo" ? via : "auto" });
      joined.catch(() => {});
      await turns();
      reset();
      const error = await rejection(joined);
      assertInstanceOf(error, JoinError);
      assertEquals([error.end, error.side, error.direction], ["b", "read", "bToA"], error.message);
    });
  }
}

test("a Node socket: one that could not be connected is a failed read", {
  on: ["deno", "node", "bun"],
}, async () => {
  const peer = await listen("tcp");
  await peer.dispose();
  const [here, there] = memoryPair();
  there.writable.getWriter().write(new Uint8Array(1)).catch(() => {});
  const end = fromNodeSocket(connect({ host: hostname, port: peer.address.port }));
  const error = await rejection(join(here, end));
  assertInstanceOf(error, JoinError);
  assertEquals([error.end, error.side], ["b", "read"], error.message);
});
