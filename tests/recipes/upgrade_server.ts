/**
 * An HTTP server that hands upgraded connections on to a TCP server, on Node, Deno and Bun:
 *
 *     node upgrade_server.js 8080 9001
 *
 * @module
 */
import { join, unread } from "@webstreams/join";
import { fromNodeSocket } from "@webstreams/join/node";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import process from "node:process";

const [port, target] = process.argv.slice(2).map(Number);
const server = createServer((_request, response) => void response.writeHead(426).end());

server.on("upgrade", async (_request, socket: Socket, head: Uint8Array) => {
  const upstream = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
  // A client that leaves meanwhile ends the connecting.
  const leave = () => void upstream.destroy(new Error("The client has left"));
  socket.on("error", () => {}).once("close", leave);
  try {
    await once(upstream, "connect");
  } catch (error) {
    console.error((error as Error).message);
    socket.resume().end(
      "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    );
    // Not at once: closed on top of what still comes, it would reset, and the answer be lost.
    return void setTimeout(() => socket.destroy(), 1000);
  } finally {
    socket.off("close", leave);
  }
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
  try {
    const client = unread(fromNodeSocket(socket), head);
    const { aToB, bToA } = await join(client, fromNodeSocket(upstream));
    console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    console.error((error as Error).message);
  }
});

server.listen(port, "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
