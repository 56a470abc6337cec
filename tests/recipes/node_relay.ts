/**
 * Relays TCP, on Node, Deno and Bun:
 *
 *     node node_relay.js 8080 127.0.0.1 80
 *
 * @module
 */
import { join } from "@webstreams/join";
import { connectNodeSocket, fromNodeSocket } from "@webstreams/join/node";
import { type AddressInfo, connect, createServer } from "node:net";
import process from "node:process";

const [port, host, target] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, async (client) => {
  const upstream = connectNodeSocket(connect, { host, port: Number(target) });
  try {
    const { aToB, bToA } = await join(fromNodeSocket(client), upstream);
    console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    console.error((error as Error).message);
  }
});

server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
