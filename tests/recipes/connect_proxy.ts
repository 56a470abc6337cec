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
import { type AddressInfo, connect } from "node:net";
import process from "node:process";
import type { Duplex } from "node:stream";

const server = createServer((_request, response) => void response.writeHead(405).end());

server.on("connect", async ({ url }, socket: Duplex, head: Uint8Array) => {
  const { hostname, port } = new URL(`http://${url}`);
  const host = hostname.replace(/^\[|\]$/g, ""); // of [::1]
  const upstream = connect({ host, port: Number(port || 80), allowHalfOpen: true });
  const client = fromNodeSocket(socket);
  try {
    await once(upstream, "connect");
  } catch {
    return void socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  }
  socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
  try {
    // What came with the request is the first that the upstream is to get.
    const { aToB, bToA } = await join(unread(client, head), fromNodeSocket(upstream));
    console.log(`${url}: ${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    console.error(`${url}: ${(error as Error).message}`);
  }
});

server.listen(Number(process.argv[2] ?? 8080), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
