/** The WebSocket proxies, each a process of its own, between real clients and a real target. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
// @ts-types="../peer/wires/ws.d.ts"
import { WebSocket, WebSocketServer } from "ws";
import { test } from "../harness.ts";
import { hashOf } from "../support/parcels.ts";
import { dial as dialPeer, listen } from "../peer/client.ts";
import { deferred, delay, rejection } from "../support/async.ts";
import { runtime } from "../support/environment.ts";
import { ask, dial, freePort, text } from "./peers.ts";
import { Recipe } from "./recipe.ts";
import { forwarded } from "./websocket_proxy_request.ts";

const MIB = 1024 * 1024;
const RECIPE = { deno: "websocket_proxy", bun: "websocket_proxy_bun" }[runtime as string] ??
  "websocket_proxy_node";

/** A target that chooses among subprotocols, and shows what it was asked. */
class Target implements AsyncDisposable {
  /** What it was asked. */
  readonly asked: IncomingMessage[] = [];
  readonly #server: Server = createServer();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => offered.has("chat.v2") && "chat.v2",
  });

  constructor(serve: (socket: WebSocket) => void) {
    this.#server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Uint8Array) => {
      this.asked.push(request);
      this.#sockets.handleUpgrade(request, socket, head, (accepted) => serve(accepted));
    });
  }

  async url(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}

/** Sends back what it gets, of the same kind, and says so first. */
function echo(socket: WebSocket): void {
  socket.send("hello");
  socket.on("message", (data, binary) => socket.send(data, { binary }, () => {}));
}

/** A client's messages and its close. */
function watch(socket: WebSocket) {
  const messages: (string | number[])[] = [];
  const closed = deferred<[number, string]>();
  const decoder = new TextDecoder();
  socket.on("message", (data, binary) => messages.push(binary ? [...data] : decoder.decode(data)));
  socket.on("close", (code, reason) => closed.resolve([code, decoder.decode(reason)]));
  socket.on("error", () => {});
  return {
    closed: closed.promise,
    async until(count: number): Promise<typeof messages> {
      while (messages.length < count) await delay(5);
      return messages;
    },
  };
}

async function proxyTo(url: string): Promise<Recipe & { url: string }> {
  const proxy = new Recipe(RECIPE, 0, url);
  return Object.assign(proxy, { url: `ws://127.0.0.1:${await proxy.port()}` });
}

test("the WebSocket proxy hands messages through as they are, the first one too", async () => {
  await using target = new Target(echo);
  await using proxy = await proxyTo(await target.url());
  const client = new WebSocket(`${proxy.url}/path?query`, ["chat.v1", "chat.v2"], {
    headers: { cookie: "name=value", "x-mine": "kept" },
  });
  const seen = watch(client);
  await new Promise<void>((resolve) => client.once("open", resolve));
  assertEquals(client.protocol, "chat.v2");
  assertEquals(await seen.until(1), ["hello"]);
  const sent = ["text", [0, 255], "", [], "ü".repeat(1000)];
  for (const message of sent) {
    client.send(typeof message === "string" ? message : Uint8Array.from(message));
  }
  assertEquals(await seen.until(6), ["hello", ...sent]);
  client.close(4321, "bye");
  assertEquals(await seen.closed, [4321, "bye"]);

  const { url, headers } = target.asked[0]!;
  assertEquals(url, "/path?query");
  assertEquals([headers.cookie, headers["x-mine"]], ["name=value", "kept"]);
  assertEquals(headers["x-forwarded-for"], "127.0.0.1");
  assertEquals(headers["sec-websocket-protocol"]?.split(/, ?/), ["chat.v1", "chat.v2"]);
});

test("the WebSocket proxy hands on no header of the connection alone", () => {
  const headers = forwarded([
    ["host", "example.com"],
    ["connection", "Upgrade, X-Hop"],
    ["upgrade", "websocket"],
    ["sec-websocket-key", "key"],
    ["sec-websocket-extensions", "permessage-deflate"],
    ["x-hop", "no"],
    ["x-forwarded-for", "10.0.0.1"],
    ["origin", "http://example.com"],
  ], "127.0.0.1");
  assertEquals(headers, { "x-forwarded-for": "10.0.0.1, 127.0.0.1", origin: "http://example.com" });
});

test("the WebSocket proxy hands closes on, both ways", async () => {
  const accepted: WebSocket[] = [];
  await using target = new Target((socket) => {
    accepted.push(socket);
    socket.send("here");
  });
  await using proxy = await proxyTo(await target.url());
  // Deno's client may say none but a page's codes.
  const told = (code: number) => {
    return runtime !== "deno" || code >= 3000 || code === 1000
      ? code
      : code === 1001
      ? 1000
      : code + 3000;
  };
  for (const code of [1000, 1001, 1008, 1011, 4000]) {
    for (const by of ["client", "target"] as const) {
      const client = new WebSocket(proxy.url);
      const seen = watch(client);
      await seen.until(1);
      const far = accepted.pop()!;
      const farSeen = watch(far);
      (by === "client" ? client : far).close(code, "why");
      const got = await (by === "client" ? farSeen : seen).closed;
      assertEquals(got, [by === "client" ? told(code) : code, "why"], `${code} by the ${by}`);
    }
  }
  const client = new WebSocket(proxy.url);
  const seen = watch(client);
  await seen.until(1);
  accepted.pop()!.terminate();
  assertEquals((await seen.closed)[0], 1014);
});

test("the WebSocket proxy upgrades nobody whose target refuses, or is not there", async () => {
  const server = createServer((_request, response) => response.writeHead(403).end());
  server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
    const words: Record<string, string> = {
      "/200": "200 OK\r\nContent-Length: 2\r\n\r\nno",
      "/401": "401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
      "/302": "302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
      "/garbage": "\r\n\r\n",
    };
    socket.on("error", () => {}).end(`HTTP/1.1 ${words[request.url!] ?? ""}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await using proxy = await proxyTo(`ws://127.0.0.1:${port}`);
  await using lost = await proxyTo(`ws://127.0.0.1:${await freePort()}`);
  const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const upgrade = `HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`;
  const urls = ["/200", "/401", "/302", "/garbage", "/nothing"].map((path) => proxy.url + path);
  for (const url of [...urls, `${lost.url}/`]) {
    const { port, pathname } = new URL(url);
    const socket = await dial(Number(port));
    socket.write(`GET ${pathname} ${upgrade}`);
    const [answer] = await once(socket, "data");
    assertMatch(String(answer), /^HTTP\/1.1 502 /, url);
    socket.destroy();
  }
  assertMatch(
    await ask(
      Number(new URL(proxy.url).port),
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ),
    /^HTTP\/1.1 426 /,
  );
  server.close();
});

test("curl is told so as well", async () => {
  await using proxy = await proxyTo(`ws://127.0.0.1:${await freePort()}`);
  const headers = [
    ...["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ].flatMap((header) => ["-H", header]);
  const url = proxy.url.replace("ws:", "http:");
  const curl = spawn("curl", [
    "-sS",
    "--noproxy",
    "*",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    ...headers,
    url,
  ]);
  assertEquals(await text(curl.stdout), "502");
});

test("the WebSocket proxy waits for whoever is slow, on either side", async () => {
  const target = await listen("websocket", { paused: true });
  await using proxy = await proxyTo(target.address.url);
  const client = await dialPeer("websocket", { url: proxy.url }, { paused: true });
  // Deno's own cannot be stopped: all that comes is kept, up to `maxBuffered`.
  const bytes = runtime === "deno" ? 12 * MIB : 48 * MIB;
  const [there, back] = [{ bytes, seed: 1 }, { bytes, seed: 2 }];
  const sent = [client.send(there), target.send(back)];
  for (const far of [client, target]) await far.until({ sent: 1, quiet: 300 });
  await Promise.all([client.resume(), target.resume(), ...sent]);
  assertEquals((await target.until({ received: there.bytes })).hash, hashOf(there));
  assertEquals((await client.until({ received: back.bytes })).hash, hashOf(back));
  await client.finish();
  assertEquals((await target.until({ ended: true })).ended.code, 1000);
  const messages = bytes / (64 * 1024);
  assertEquals(await proxy.line(), `${messages} messages there, ${messages} back`);
  await client.dispose();
  await target.dispose();
});

test("a WebSocket client of the proxy is refused when the target cannot be dialled", async () => {
  await using proxy = await proxyTo(`ws://127.0.0.1:${await freePort()}`);
  const error = await rejection(dialPeer("websocket", { url: proxy.url }));
  assertMatch(String(error), /502/);
  assert(proxy.child.exitCode === null);
});
