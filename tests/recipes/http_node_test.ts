/** HTTP's CONNECT and Upgrade through the recipes, each a process of its own, with real clients. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, request } from "node:http";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { test } from "../harness.ts";
import { ask, dial, freePort, lateReplies, text } from "./peers.ts";
import { Recipe } from "./recipe.ts";

test("curl gets a page through the CONNECT proxy", async () => {
  const page = "x".repeat(3_000_000);
  const server = createServer((_request, response) => response.end(page));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  await using proxy = new Recipe("connect_proxy", 0);

  const { port } = server.address() as AddressInfo;
  const through = `http://127.0.0.1:${await proxy.port()}`;
  const url = `http://127.0.0.1:${port}/`;
  const curl = spawn("curl", ["-sS", "--noproxy", "", "--proxytunnel", "-x", through, url]);
  assertEquals((await text(curl.stdout)).length, page.length);
  assertMatch(
    await proxy.line(),
    new RegExp(`^127.0.0.1:${port}: \\d+ bytes there, 300\\d{4} back$`),
  );
  server.close();
});

test("the CONNECT proxy hands the head and both half-closes through", async () => {
  await using server = lateReplies();
  await using proxy = new Recipe("connect_proxy", 0);
  const target = `127.0.0.1:${await server.port()}`;

  const socket = await dial(await proxy.port());
  // The head comes with the request, in one packet.
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\nhead, `);
  socket.end("body");
  const [status, reply] = (await text(socket)).split("\r\n\r\n");
  assertEquals(status, "HTTP/1.1 200 Connection established");
  assertEquals(reply, "got head, body");
  assertEquals(await proxy.line(), `${target}: 10 bytes there, 14 back`);
});

test("the CONNECT proxy says so where it cannot connect", async () => {
  await using proxy = new Recipe("connect_proxy", 0);
  const port = await freePort();
  const socket = await dial(await proxy.port());
  socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n`);
  assertMatch(await text(socket), /^HTTP\/1.1 502 /);
  // It is not held open by a client that takes no notice.
  while (!socket.destroyed) await new Promise((resolve) => socket.write("more", resolve));
});

test("the CONNECT proxy outlives requests for what is no address", async () => {
  await using proxy = new Recipe("connect_proxy", 0);
  const port = await proxy.port();
  for (const authority of ["127.0.0.1:99999", "[::1", "a b:80", "%", ""]) {
    await ask(port, `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\n\r\n`).catch(() => {});
  }
  assertMatch(
    await ask(port, "CONNECT 127.0.0.1:99999 HTTP/1.1\r\nHost: x\r\n\r\n"),
    /^HTTP.* 502 /,
  );
});

test("an Upgrade's head is the first that is handed on", async () => {
  await using server = lateReplies();
  await using upgrading = new Recipe("upgrade_server", 0, await server.port());
  const socket = await dial(await upgrading.port());
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhead, ");
  socket.end("body");
  const [status, reply] = (await text(socket)).split(/\r\n[^]*\r\n\r\n/);
  assertEquals([status, reply], ["HTTP/1.1 101 Switching Protocols", "got head, body"]);
});

test("an Upgrade's connection is handed on to node:http's client, half-close included", async () => {
  await using server = lateReplies();
  await using upgrading = new Recipe("upgrade_server", 0, await server.port());

  const asked = request({
    host: "127.0.0.1",
    port: await upgrading.port(),
    headers: { Connection: "Upgrade", Upgrade: "tcp" },
  });
  asked.end();
  const [response, socket] = await once(asked, "upgrade") as [IncomingMessage, Socket];
  assertEquals([response.statusCode, response.headers.upgrade], [101, "tcp"]);
  socket.end("hello");
  assertEquals(await text(socket), "got hello");
  assertEquals(await upgrading.line(), "5 bytes there, 9 back");
});

test("a request that is no Upgrade is refused", async () => {
  await using upgrading = new Recipe("upgrade_server", 0, 1);
  const asked = request({ host: "127.0.0.1", port: await upgrading.port() });
  asked.end();
  const [response] = await once(asked, "response") as [IncomingMessage];
  assertEquals(response.statusCode, 426);
  response.resume();
  assert(await once(response, "end"));
});
