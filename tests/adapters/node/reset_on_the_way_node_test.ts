/**
 * An abort that comes while something else is on its way: nothing may stay open, and it looks like one.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { fromNodeSocket } from "@webstreams/join/node";
import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";

const host = "127.0.0.1";
const allowHalfOpen = true;

test("fromNodeSocket: an abort while the writing ends closes the socket", async () => {
  const server = createServer({ allowHalfOpen }).listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host, port, allowHalfOpen });
  const [far]: Socket[] = await once(server, "connection");
  if (socket.connecting) await once(socket, "connect");
  server.close();
  far.resume().on("error", () => {}).on("end", () => far.end());
  const closed = [socket, far].map((one) =>
    new Promise<void>((resolve) => one.on("close", resolve))
  );

  const end = fromNodeSocket(socket);
  end.writable.getWriter().close().catch(() => {});
  while (!socket.writableEnded) await undefined;
  // The system has been asked for it, and has not answered yet.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  void end.close!(new Error("enough"));
  await Promise.all(closed);
});

test("fromNodeSocket: an abort before it is told that it is connected is a reset", {
  // Deno 2.9 takes longer to tell than a turn.
  on: ["node", "bun"],
}, async () => {
  const server = createServer({ allowHalfOpen }).listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const told = new Promise<string>((resolve) =>
    server.once("connection", (far: Socket) => {
      server.close();
      far.resume().on("error", () => resolve("reset")).on("end", () => resolve("end"));
      far.on("close", () => resolve("close")).on("end", () => far.end());
    })
  );
  const socket = connect({ host, port, allowHalfOpen });
  const end = fromNodeSocket(socket);
  // The system has connected it by then.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  void end.close!(new Error("enough"));
  assertEquals(await told, "reset");
});
