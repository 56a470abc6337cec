/** The TCP relays, each a process of its own, on its runtime. */
import { assert, assertEquals } from "@std/assert";
import type { Socket } from "node:net";
import { took } from "../support/async.ts";
import { runtime } from "../support/environment.ts";
import { test } from "../harness.ts";
import { dial, lateReplies, TestServer, text } from "./peers.ts";
import { Recipe } from "./recipe.ts";

const names = {
  deno: ["deno_relay", "node_relay"],
  bun: ["bun_relay", "node_relay"],
  node: ["node_relay"],
}[runtime as "deno" | "bun" | "node"];

for (const name of names) {
  test(`${name} hands the reply to a client that has ended`, async () => {
    await using server = lateReplies();
    await using relay = new Recipe(name, 0, "127.0.0.1", await server.port());
    const socket = await dial(await relay.port());
    socket.end("question");
    assertEquals(await text(socket), "got question");
    assertEquals(await relay.line(), "8 bytes there, 12 back");
  });

  test(`${name} hands on what comes in small parts without a delay`, async () => {
    await using server = new TestServer((socket) => void answers(socket, Infinity));
    await using relay = new Recipe(name, 0, "127.0.0.1", await server.port());
    const socket = await dial(await relay.port());
    const ms = await took(async () => {
      say(socket);
      await answers(socket, ROUNDS);
    });
    socket.destroy();
    assert(ms < ROUNDS * 30, `${ROUNDS} answers took ${ms} ms`);
  });
}

/** With Nagle's algorithm, each second part waits for a delayed acknowledgement of the first: 40 ms. */
const ROUNDS = 60;

/** In two packets, too far apart for a relay to read them as one. */
function say(socket: Socket): void {
  socket.setNoDelay(true).write("half");
  setTimeout(() => socket.write("half"), 3);
}

/** Answers what has been said by the same, but for the last time. */
async function answers(socket: Socket, rounds: number): Promise<void> {
  let got = 0;
  await new Promise<void>((resolve) => {
    socket.on("data", (bytes: Uint8Array) => {
      got += bytes.length;
      if (got === rounds * 8) resolve();
      else if (got % 8 === 0) say(socket);
    });
  });
}
