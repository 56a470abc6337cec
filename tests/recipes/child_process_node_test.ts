/** A child process as an end, through the recipe for Node; and how the one for Deno as well fails. */
import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import process from "node:process";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";
import { runtime } from "../support/environment.ts";
import { throughChild } from "./child_process_bytes.ts";
import { ask, dial, text } from "./peers.ts";
import { Recipe } from "./recipe.ts";

test("a program of Node's child_process is served to a connection", async () => {
  await using serving = new Recipe("child_process_node", 0, "sort", "-r");
  const socket = await dial(await serving.port());
  // It sorts once it has seen the end of its input.
  socket.end("a\nc\nb\n");
  assertEquals(await text(socket), "c\nb\na\n");
  assertEquals(await serving.line(), "6 bytes in, 6 out");
});

test("a program of Node's child_process gets and gives all there is", async () => {
  const bytes = 8 * 1024 * 1024;
  await using serving = new Recipe("child_process_node", 0, "cat");
  await throughChild(await serving.port(), bytes);
  assertEquals(await serving.line(), `${bytes} bytes in, ${bytes} out`);
});

for (
  const name of runtime === "deno"
    ? ["child_process", "child_process_node"]
    : ["child_process_node"]
) {
  test(`${name} goes on after a program that ends before its input does`, async () => {
    await using serving = new Recipe(name, 0, "head", "-c", 1);
    const port = await serving.port();
    // Whether that gets its answer is the matter of others.
    for (let count = 0; count < 3; count++) await ask(port, "x".repeat(4_000_000)).catch(() => {});
    assertEquals(await ask(port, "y"), "y");
  });

  test(`${name} goes on after a program that cannot be run`, async () => {
    await using serving = new Recipe(name, 0, "/no/such/program");
    const port = await serving.port();
    for (let count = 0; count < 3; count++) {
      const answer = await ask(port, "y").catch(({ code }) => code);
      assert(["", "ECONNRESET"].includes(answer), answer);
    }
  });

  test(`${name} kills the program of a client that resets`, async () => {
    await using serving = new Recipe(name, 0, "sh", "-c", "echo $$; exec sleep 1000");
    const socket = await dial(await serving.port());
    const [pid] = await once(socket, "data");
    socket.resetAndDestroy();
    while (isAlive(Number(pid))) await delay(10);
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
