import { assert, assertEquals } from "@std/assert";
import { connect, type Socket } from "node:net";
import { test } from "../harness.ts";
import * as t from "./helper.ts";

/** A client that is connected; a `Deno.Conn` cannot reset. */
function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.once("error", reject);
  });
}

for (const count of [20, 500]) {
  test(`${count} clients that reset before they are accepted make no other wait`, async () => {
    await using cli = new t.Cli(["--once", "tcp://127.0.0.1:0", "echo:"]);
    const address = await cli.address();
    const port = Number(new URL(address).port);
    // Nothing is accepted meanwhile: the system completes the handshakes by itself.
    cli.kill("SIGSTOP");
    const sockets = await Promise.all(Array.from({ length: count }, () => connected(port)));
    for (const socket of sockets) socket.resetAndDestroy();
    using client = await t.connect(address);
    cli.kill("SIGCONT");
    const start = performance.now();
    assertEquals(await t.exchange(client, "hello"), "hello");
    const ms = performance.now() - start;
    // Backing off after each took 13 s for 20 of them.
    assert(ms < 1000, `${ms}`);
    assertEquals(await cli.code(), 0);
    assertEquals(cli.stderr.all.filter((line) => line.startsWith("Cannot accept")), []);
  });
}
