/**
 * Serves a program to whoever connects, as inetd does, on Node, Deno and Bun:
 *
 *     node child_process_node.js 8080 sort -r
 *
 * @module
 */
import { duplex, join } from "@webstreams/join";
import { fromNodeReadable, fromNodeSocket, fromNodeWritable } from "@webstreams/join/node";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import type { Readable, Writable } from "node:stream";

const [port, program, ...args] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, async (socket) => {
  const client = fromNodeSocket(socket);
  let child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  try {
    child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    await once(child, "spawn");
    // `Duplex.from()` would destroy what the program has said as soon as it takes no more.
    const pipes = duplex(fromNodeReadable(child.stdout), fromNodeWritable(child.stdin));
    const { aToB, bToA } = await join(client, pipes);
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
