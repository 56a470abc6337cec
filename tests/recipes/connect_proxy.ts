/**
 * A proxy for HTTP's CONNECT method, on Node, Deno and Bun:
 *
 *     node connect_proxy.js 8080
 *
 * @module
 */
import { join, unread } from "@webstreams/join";
import { fromNodeSocket } from "@webstreams/join/node";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import process from "node:process";

const server = createServer((_request, response) => void response.writeHead(405).end());

server.on("connect", async ({ url }, socket: Socket, head: Uint8Array) => {
  const upstream = new Socket({ allowHalfOpen: true });
  // A client that leaves meanwhile ends the connecting.
  const leave = () => void upstream.destroy(new Error("The client has left"));
  socket.on("error", () => {}).once("close", leave);
  try {
    const { hostname, port } = new URL(`http://${url}`);
    upstream.connect(Number(port || 80), hostname.replace(/^\[|\]$/g, "")); // of [::1]
    await once(upstream, "connect");
  } catch (error) {
    console.error(`${url}: ${(error as Error).message}`);
    socket.resume().end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    // Not at once: closed on top of what still comes, it would reset, and the answer be lost.
    return void setTimeout(() => socket.destroy(), 1000);
  } finally {
    socket.off("close", leave);
  }
  socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
  try {
    // What came with the request is the first that the upstream is to get.
    const client = unread(fromNodeSocket(socket), head);
    const { aToB, bToA } = await join(client, fromNodeSocket(upstream));
    console.log(`${url}: ${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    console.error(`${url}: ${(error as Error).message}`);
  }
});

server.listen(Number(process.argv[2] ?? 8080), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
