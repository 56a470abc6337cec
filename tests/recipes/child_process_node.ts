/**
 * Serves a program to whoever connects, as inetd does, on Node, Deno and Bun:
 *
 *     node child_process_node.js 8080 sort -r
 *
 * @module
 */
import { join } from "@webstreams/join";
import { fromNodeSocket } from "@webstreams/join/node";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { Duplex } from "node:stream";

const [port, program, ...args] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, async (socket) => {
  const client = fromNodeSocket(socket);
  let child: ChildProcess | undefined;
  try {
    child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    await once(child, "spawn");
    // @ts-ignore The types leave out what the documentation has: a pair of Node's own streams.
    const pipes = Duplex.from({ readable: child.stdout, writable: child.stdin });
    const { aToB, bToA } = await join(client, fromNodeSocket(pipes));
    console.log(`${aToB.bytes} bytes in, ${bToA.bytes} out`);
  } catch (error) {
    console.error((error as Error).message);
    client.close?.(error);
    child?.kill();
  }
});

server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
