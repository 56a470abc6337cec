/** The TCP relays of the README, each a process of its own, on its runtime. */
import { assertEquals } from "@std/assert";
import { runtime } from "../support/environment.ts";
import { test } from "../harness.ts";
import { dial, lateReplies, text } from "./peers.ts";
import { Program } from "./program.ts";

const names = {
  deno: ["deno_relay", "node_relay"],
  bun: ["bun_relay", "node_relay"],
  node: ["node_relay"],
}[runtime as "deno" | "bun" | "node"];

for (const name of names) {
  test(`${name} hands the reply to a client that has ended`, async () => {
    await using server = lateReplies();
    await using relay = new Program(name, 0, "127.0.0.1", await server.port());
    const socket = await dial(await relay.port());
    socket.end("question");
    assertEquals(await text(socket), "got question");
    assertEquals(await relay.line(), "8 bytes there, 12 back");
  });
}
