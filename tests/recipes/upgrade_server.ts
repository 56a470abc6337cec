/**
 * An HTTP server that hands upgraded connections on to a TCP server, on Node, Deno and Bun:
 *
 *     node upgrade_server.js 8080 9001
 *
 * @module
 */
import { join, unread } from "@webstreams/join";
import { fromNodeSocket } from "@webstreams/join/node";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import process from "node:process";
import type { Duplex } from "node:stream";

const [port, target] = process.argv.slice(2).map(Number);
const server = createServer((_request, response) => void response.writeHead(426).end());

server.on("upgrade", async (_request, socket: Duplex, head: Uint8Array) => {
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
  const upstream = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
  try {
    const { aToB, bToA } = await join(
      unread(fromNodeSocket(socket), head),
      fromNodeSocket(upstream),
    );
    console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    console.error((error as Error).message);
  }
});

server.listen(port, "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
