/** A child process as an end, through the recipe for Node. */
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { throughChild } from "./child_process_bytes.ts";
import { dial, text } from "./peers.ts";
import { Program } from "./program.ts";

test("a program of Node's child_process is served to a connection", async () => {
  await using serving = new Program("child_process_node", 0, "sort", "-r");
  const socket = await dial(await serving.port());
  // It sorts once it has seen the end of its input.
  socket.end("a\nc\nb\n");
  assertEquals(await text(socket), "c\nb\na\n");
  assertEquals(await serving.line(), "6 bytes in, 6 out");
});

test("a program of Node's child_process gets and gives all there is", async () => {
  const bytes = 8 * 1024 * 1024;
  await using serving = new Program("child_process_node", 0, "cat");
  await throughChild(await serving.port(), bytes);
  assertEquals(await serving.line(), `${bytes} bytes in, ${bytes} out`);
});
