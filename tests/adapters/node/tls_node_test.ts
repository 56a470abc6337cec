/** What is special to Node's TLS sockets; the rest is in the contract. */
import { once } from "node:events";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { connect, type ConnectionOptions, TLSSocket } from "node:tls";
import { connectNodeSocket, fromNodeSocket } from "@webstreams/join/node";
import { assertEquals, assertLess } from "@std/assert";
import { capabilitiesOf } from "../../contract/suite.ts";
import { test } from "../../harness.ts";
import { certificate, dial, listen } from "../../peer/client.ts";
import { platform, runtime } from "../../support/environment.ts";
import { host, listenOnce } from "./sockets.ts";

/** What the buffers of two sockets take. */
const MOST_IN_KERNEL_BYTES = 16 * 1024 * 1024;
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

  test("connectNodeSocket, TLS: what nobody reads yet stays with the peer", async () => {
    const peer = await listen("tls");
    const { port, ca } = peer.address;
    let socket: Socket;
    connectNodeSocket((all: ConnectionOptions) => socket = connect(all), { host, port, ca });
    const sent = peer.send({ bytes: 4 * MOST_IN_KERNEL_BYTES }).catch(() => {});
    const stats = await peer.until({ quiet: 300 });
    assertLess(stats.sent, MOST_IN_KERNEL_BYTES);
    socket!.destroy();
    await sent;
    await peer.dispose();
  });

  if (runtime === "node") {
    test("fromNodeSocket, TLS: a socket that was made a server's half-closes", async () => {
      const { cert, key } = await certificate();
      const { port, accepted } = await listenOnce(
        createServer({ allowHalfOpen: true }),
        "connection",
      );
      const dialed = dial("tls", { port, ca: cert });
      const socket = new TLSSocket(await accepted, { isServer: true, cert, key });
      const peer = await dialed;
      const { readable, writable } = fromNodeSocket(socket);
      await writable.close();
      assertEquals((await peer.until({ ended: true })).ended.how, "eof");
      await peer.send({ bytes: 5 });
      await peer.finish();
      assertEquals((await new Response(readable).arrayBuffer()).byteLength, 5);
      await peer.dispose();
    });
  }
}
