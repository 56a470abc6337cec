/**
 * What a failed write makes of a socket that nobody reads: it is closed. Whoever reads gets the peer's last
 * words; that is in the contract.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Pair } from "@webstreams/join";
import { fromBunSocket, handlers } from "@webstreams/join/bun";
import { fromNodeSocket } from "@webstreams/join/node";
import { type Runtime, test } from "../../harness.ts";
import { delay } from "../../support/async.ts";
import { bun, listenOnce } from "../bun/runtime.ts";

const hostname = "127.0.0.1";
const allowHalfOpen = true;

interface Resettable {
  readonly end: Pair;
  /** Resets it from the other side. */
  reset(): void;
  isClosed(): boolean;
}

async function nodeSocket(): Promise<Resettable> {
  const server = createServer({ allowHalfOpen }).listen(0, hostname);
  await once(server, "listening");
  const accepted = once(server, "connection");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: hostname, port, allowHalfOpen });
  const [far] = await accepted as [Socket];
  server.close();
  far.on("error", () => {});
  if (socket.connecting) await once(socket, "connect");
  return {
    end: fromNodeSocket(socket),
    reset: () => void far.resetAndDestroy(),
    isClosed: () => socket.destroyed,
  };
}

async function bunSocket(): Promise<Resettable> {
  const options = { hostname, port: 0, allowHalfOpen, socket: handlers };
  const { port, accepted } = listenOnce(options);
  const socket = await bun.connect({ ...options, port });
  const far = await accepted;
  return {
    end: fromBunSocket(socket),
    reset: () => far.terminate(),
    isClosed: () => socket.readyState <= 0,
  };
}

const kinds: readonly (readonly [string, readonly Runtime[], () => Promise<Resettable>])[] = [
  ["a Node socket", ["deno", "node", "bun"], nodeSocket],
  ["a Bun socket", ["bun"], bunSocket],
];

for (const [kind, on, open] of kinds) {
  for (const asked of [false, true]) {
    const whose = asked ? "whose readable nobody has locked" : "whose writable alone is used";
    test(`${kind} ${whose} is closed when a write fails`, { on }, async () => {
      const { end, reset, isClosed } = await open();
      if (asked) void end.readable;
      const writer = end.writable.getWriter();
      const failed = writer.closed.catch(() => {});
      reset();
      let isOver = false;
      void failed.then(() => isOver = true);
      while (!isOver) {
        await writer.write(new Uint8Array(10)).catch(() => {});
        await delay(1);
      }
      while (!isClosed()) await delay(5);
    });
  }
}
