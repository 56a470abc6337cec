/** The recipes for Deno, each a process of its own. */
import { assertEquals, assertMatch } from "@std/assert";
import { once } from "node:events";
import { selfSigned } from "../certs.ts";
import { test } from "../harness.ts";
import { hashOf } from "../peer/bytes.ts";
import { dial as dialPeer, listen } from "../peer/client.ts";
import { rejection } from "../support/async.ts";
import { throughChild } from "./child_process_bytes.ts";
import { dial, lateReplies, text } from "./peers.ts";
import { Program } from "./program.ts";

const MIB = 1024 * 1024;

test("a program of Deno.Command is served to a connection", async () => {
  await using serving = new Program("child_process", 0, "sort", "-r");
  const socket = await dial(await serving.port());
  socket.end("a\nc\nb\n");
  assertEquals(await text(socket), "c\nb\na\n");
  assertEquals(await serving.line(), "6 bytes in, 6 out, exit 0");
});

test("a program of Deno.Command gets and gives all there is", async () => {
  await using serving = new Program("child_process", 0, "cat");
  await throughChild(await serving.port(), 8 * MIB);
  assertEquals(await serving.line(), `${8 * MIB} bytes in, ${8 * MIB} out, exit 0`);
});

test("standard input and output are joined to a connection", async () => {
  await using server = lateReplies();
  const netcat = new Program("netcat", "127.0.0.1", await server.port());
  netcat.child.stdin!.end("through a pipe");
  assertEquals(await netcat.line(), "got through a pipe");
  const [code] = netcat.child.exitCode === null ? await once(netcat.child, "exit") : [0];
  assertEquals(code, 0);
});

test("Deno's upgradeWebSocket is joined to a connection", async () => {
  const server = await listen("tcp");
  await using serving = new Program("upgrade_websocket", 0, "127.0.0.1", server.address.port);
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
  await using serving = new Program("upgrade_websocket", 0, "127.0.0.1", server.address.port);
  const port = await serving.port();
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assertEquals([response.status, await response.text()], [426, "Only for WebSockets"]);
  await server.dispose();
  const error = await rejection(dialPeer("websocket", { url: `ws://127.0.0.1:${port}/` }));
  assertMatch(String(error), /500/);
});

test("a WebTransport stream is joined to a connection, half-closes included", async () => {
  const server = await listen("tcp");
  const folder = await Deno.makeTempDir();
  const { cert, key } = await selfSigned();
  const [certFile, keyFile] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  await Deno.writeTextFile(certFile, cert);
  await Deno.writeTextFile(keyFile, key);
  const target = ["127.0.0.1", server.address.port];
  await using serving = new Program("webtransport_server", certFile, keyFile, 0, ...target);
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
  await Deno.remove(folder, { recursive: true });
});
