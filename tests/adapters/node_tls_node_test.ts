/** What is special to Node's TLS sockets; the rest is in the contract. */
import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { connect } from "node:tls";
import { fromNodeSocket } from "@webstreams/join/node";
import { assertEquals } from "@std/assert";
import { capabilitiesOf } from "../contract.ts";
import { test } from "../harness.ts";
import { listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { host, listenOnce } from "./node_sockets.ts";

/** In which the peer's part of the handshake arrives. */
const BUSY_MS = 100;

if (capabilitiesOf("fromNodeSocket, TLS", platform)) {
  test("fromNodeSocket, TLS: an end in the turn of the handshake shows as one", async () => {
    const { port, accepted } = await listenOnce(createServer(), "connection");
    const knocker = connectTcp({ port, host });
    const door = await accepted;
    const peer = await listen("tls");
    const socket = connect({ host, port: peer.address.port, ca: peer.address.ca });
    const { writable } = fromNodeSocket(socket);
    let secured = false;
    socket.once("secureConnect", () => secured = true);
    const closed = once(door, "data").then(() => writable.close());
    // The next poll finds both, the handshake first.
    socket.once("connect", () =>
      setTimeout(() => {
        const until = performance.now() + BUSY_MS;
        while (performance.now() < until);
        knocker.write("knock");
      }));
    await closed;
    assertEquals((await peer.until({ ended: true })).ended.how, "eof");
    assertEquals(secured, true);
    for (const each of [knocker, door, socket]) each.destroy();
    await peer.dispose();
  });
}
