/**
 * A reset right behind data is no end of file: what has come is not all.
 *
 * @module
 */
import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type NetConnectOpts,
  type Socket,
} from "node:net";
import { duplex, type End, join, JoinError } from "@webstreams/join";
import { connectNodeSocket, fromNodeSocket } from "@webstreams/join/node";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { test } from "../../harness.ts";
import { never, rejection, turns } from "../../support/async.ts";

const host = "127.0.0.1";
const allowHalfOpen = true;

const kinds: readonly (readonly [string, (port: number) => End])[] = [
  ["fromNodeSocket", (port) => fromNodeSocket(connect({ host, port, allowHalfOpen }))],
  [
    "connectNodeSocket",
    (port) => connectNodeSocket((all: NetConnectOpts) => connect(all), { host, port }),
  ],
];

for (const [kind, open] of kinds) {
  test(`${kind}: a reset right behind data is no end of file`, async () => {
    const server = createServer({ allowHalfOpen }).listen(0, host);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const accepted = once(server, "connection");
    const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({ pull: () => never() });
    const here = duplex(silent, new WritableStream<Uint8Array<ArrayBuffer>>());
    const joined = join(here, open(port), { halfCloseTimeout: 1000 });
    joined.catch(() => {});
    const [far]: Socket[] = await accepted;
    server.close();
    far.on("error", () => {});
    // It has seen that it is connected, and waits.
    await turns();
    // In one turn of this process, so that it finds both.
    far.write(new Uint8Array(1000));
    far.resetAndDestroy();
    const error = await rejection(joined);
    assertInstanceOf(error, JoinError);
    assertEquals([error.reason, error.side, error.end], ["reset", "read", "b"]);
  });
}
