/** The recipes for Deno, each a process of its own. */
import { assertEquals, assertMatch } from "@std/assert";
import { once } from "node:events";
import { selfSigned } from "../tools/certs.ts";
import { test } from "../harness.ts";
import { hashOf } from "../support/parcels.ts";
import { dial as dialPeer, listen } from "../peer/client.ts";
import { delay, rejection } from "../support/async.ts";
import { throughChild } from "./child_process_bytes.ts";
import { sockets } from "./descriptors.ts";
import { earlyAnswers } from "./early_answers.ts";
import { FullServer } from "./full_server.ts";
import { relay } from "./page_relay.ts";
import { dial, freePort, lateReplies, text } from "./peers.ts";
import { Recipe } from "./recipe.ts";

const MIB = 1024 * 1024;

test("a program of Deno.Command is served to a connection", async () => {
  await using serving = new Recipe("child_process", 0, "sort", "-r");
  const socket = await dial(await serving.port());
  socket.end("a\nc\nb\n");
  assertEquals(await text(socket), "c\nb\na\n");
  assertEquals(await serving.line(), "6 bytes in, 6 out, exit 0");
});

test("a program of Deno.Command gets and gives all there is", async () => {
  await using serving = new Recipe("child_process", 0, "cat");
  await throughChild(await serving.port(), 8 * MIB);
  assertEquals(await serving.line(), `${8 * MIB} bytes in, ${8 * MIB} out, exit 0`);
});

test("standard input and output are joined to a connection", async () => {
  await using server = lateReplies();
  const netcat = new Recipe("netcat", "127.0.0.1", await server.port());
  netcat.child.stdin!.end("through a pipe");
  assertEquals(await netcat.line(), "got through a pipe");
  const [code] = netcat.child.exitCode === null ? await once(netcat.child, "exit") : [0];
  assertEquals(code, 0);
});

test("what a server has said reaches standard output although it takes no more", async () => {
  await using server = earlyAnswers(false);
  await using netcat = new Recipe("netcat", "127.0.0.1", await server.port());
  const { child } = netcat;
  child.stdin!.on("error", () => {}).write("x".repeat(20_000_000));
  assertEquals(await netcat.line(), "HTTP/1.1 413 Content Too Large");
  // Standard input has not ended, and keeps nothing back.
  const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
  assertEquals(code, 1);
});

test("Deno's upgradeWebSocket is joined to a connection", async () => {
  const server = await listen("tcp");
  await using serving = new Recipe("upgrade_websocket", 0, "127.0.0.1", server.address.port);
  const url = `ws://127.0.0.1:${await serving.port()}/`;
  const client = await dialPeer("websocket", { url });
  const [there, back] = [{ bytes: 4 * MIB, seed: 1 }, { bytes: 4 * MIB, seed: 2 }];
  await Promise.all([client.send(there), server.send(back)]);
  assertEquals((await client.until({ received: back.bytes })).hash, hashOf(back));
  await client.finish();
  const { hash, ended } = await server.until({ ended: true });
  assertEquals([hash, ended.how], [hashOf(there), "eof"]);
  await server.finish();
  assertEquals(await serving.line(), `${there.bytes} bytes there, ${back.bytes} back`);
  await client.dispose();
  await server.dispose();
});

test("a request that is no WebSocket's is refused, and one without a server", async () => {
  const server = await listen("tcp");
  await using serving = new Recipe("upgrade_websocket", 0, "127.0.0.1", server.address.port);
  const port = await serving.port();
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assertEquals([response.status, await response.text()], [426, "Only for WebSockets"]);
  await server.dispose();
  const error = await rejection(dialPeer("websocket", { url: `ws://127.0.0.1:${port}/` }));
  assertMatch(String(error), /500/);
});

test("a client of upgradeWebSocket is sent no ping, which would wait behind what it is slow to read", async () => {
  await using server = lateReplies();
  await using serving = new Recipe("upgrade_websocket", 0, "127.0.0.1", await server.port());
  const socket = await dial(await serving.port());
  const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  socket.write(
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`,
  );
  assertMatch(String(await once(socket, "data")), /^HTTP\/1.1 101 /);
  // Deno's own first comes after 15 s (2.9).
  const told = await Promise.race([once(socket, "data"), once(socket, "end"), delay(16_000)]);
  assertEquals(told, undefined);
  socket.destroy();
});

test("a WebSocket is closed to which there comes no WebTransport stream", async () => {
  const server = await listen("websocket");
  const session = new WebTransport(`https://127.0.0.1:${await freePort()}/`);
  session.closed.catch(() => {});
  await rejection(relay(session, new WebSocket(server.address.url)));
  await server.until({ ended: true });
  await server.dispose();
});

test("a WebTransport stream is joined to a connection, half-closes included", async () => {
  const server = await listen("tcp");
  await using folder = await certified();
  const target = ["127.0.0.1", server.address.port];
  await using serving = new Recipe("webtransport_server", ...folder.files, 0, ...target);
  const url = `https://127.0.0.1:${await serving.port()}/`;
  const client = await dialPeer("webtransport", { url });
  const [there, back] = [{ bytes: MIB, seed: 3 }, { bytes: MIB, seed: 4 }];
  await client.send(there);
  await client.finish();
  const request = await server.until({ ended: true });
  assertEquals([request.hash, request.ended.how], [hashOf(there), "eof"]);
  await server.send(back);
  await server.finish();
  const reply = await client.until({ ended: true });
  assertEquals([reply.hash, reply.ended.how], [hashOf(back), "eof"]);
  assertEquals(await serving.line(), `${there.bytes} bytes there, ${back.bytes} back`);
  await client.dispose();
  await server.dispose();
});

test("a WebTransport stream is ended whose server refuses", async () => {
  await using folder = await certified();
  const target = ["127.0.0.1", await freePort()];
  await using serving = new Recipe("webtransport_server", ...folder.files, 0, ...target);
  const url = `https://127.0.0.1:${await serving.port()}/`;
  const client = await dialPeer("webtransport", { url });
  // It may be ended before: then these are never sent.
  const sending = client.send({ bytes: 5, seed: 1 }).catch(() => {});
  await client.until({ ended: true });
  await client.dispose();
  await sending;
});

test("the WebTransport server gives up connecting once its client has left", {
  // What it has open is counted in /proc.
  on: Deno.build.os === "linux" ? ["deno"] : [],
}, async () => {
  await using target = await FullServer.start();
  await using folder = await certified();
  const args = ["127.0.0.1", target.port];
  await using serving = new Recipe("webtransport_server", ...folder.files, 0, ...args);
  const url = `https://127.0.0.1:${await serving.port()}/`;
  const before = sockets(serving);
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => dialPeer("webtransport", { url })),
  );
  await Promise.all(clients.map((client) => client.send({ bytes: 5, seed: 1 })));
  while (sockets(serving) < before + 8) await delay(10);
  await Promise.all(clients.map((client) => client.dispose()));
  // What Deno opens once, and keeps, is less.
  while (sockets(serving) > before + 5) await delay(10);
});

/** A folder with the PEM files of a certificate. */
async function certified() {
  const folder = await Deno.makeTempDir();
  const { cert, key } = await selfSigned();
  const files = [`${folder}/cert.pem`, `${folder}/key.pem`] as const;
  await Deno.writeTextFile(files[0], cert);
  await Deno.writeTextFile(files[1], key);
  return { files, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}
