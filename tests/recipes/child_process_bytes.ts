/**
 * Much through a program that gives back what it gets.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { Fingerprint, hashOf, PatternStream } from "../support/parcels.ts";
import { dial } from "./peers.ts";

/** Sends `bytes` to the program behind the port, ends, and checks what comes back. */
export async function throughChild(port: number, bytes: number): Promise<void> {
  const socket = await dial(port);
  const got = new Fingerprint();
  socket.on("data", (chunk: Uint8Array) => got.update(chunk));
  const ended = once(socket, "end");
  socket.end(new PatternStream(7).next(bytes));
  await ended;
  assertEquals([got.bytes, got.hash], [bytes, hashOf({ bytes, seed: 7 })]);
}
