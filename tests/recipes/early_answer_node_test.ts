/** Servers and programs that answer early and go, behind the relays: the answer arrives. */
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { runtime } from "../support/environment.ts";
import { answered, earlyAnswers } from "./early_answers.ts";
import { dial, text } from "./peers.ts";
import { Recipe } from "./recipe.ts";

const UPLOADS = 10;

const names = {
  deno: ["deno_relay", "node_relay"],
  bun: ["bun_relay", "node_relay"],
  node: ["node_relay"],
}[runtime as "deno" | "bun" | "node"];

for (const name of names) {
  for (const ends of [true, false]) {
    const how = ends ? "ends and resets" : "resets";
    test(`${name} delivers the early answer of a server that ${how} while it is uploaded to`, async () => {
      await using server = earlyAnswers(ends);
      await using relay = new Recipe(name, 0, "127.0.0.1", await server.port());
      await answered(await relay.port(), UPLOADS);
    });
  }
}

const programs = runtime === "deno"
  ? ["child_process", "child_process_node"]
  : ["child_process_node"];

for (const name of programs) {
  test(`${name} delivers the answer of a program that ends before its input does`, async () => {
    await using serving = new Recipe(name, 0, "head", "-n", "1");
    const port = await serving.port();
    for (let time = 0; time < 3; time++) {
      const socket = await dial(port);
      const got = text(socket);
      socket.end(`the first line\n${"and more\n".repeat(1_000_000)}`);
      assertEquals(await got, "the first line\n");
      socket.destroy();
    }
  });
}
