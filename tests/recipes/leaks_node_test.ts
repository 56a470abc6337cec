/** What a recipe has opened is closed again, whatever fails: counted from outside, with real clients. */
import { assertMatch } from "@std/assert";
import { once } from "node:events";
import type { Socket } from "node:net";
import process from "node:process";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";
import { type Runtime, runtime } from "../support/environment.ts";
import { sockets } from "./descriptors.ts";
import { FullServer } from "./full_server.ts";
import { dial, freePort, lateReplies, TestServer } from "./peers.ts";
import { Recipe } from "./recipe.ts";

/** A server that connects each client to a target. */
interface Relay {
  readonly name: string;
  readonly on?: Runtime;
  /** It does not notice a client that leaves while it connects. */
  readonly waits?: boolean;
  /** It answers a client once its target has answered. */
  readonly asks?: boolean;
  /** Its target is a Unix socket, which refuses or takes a connection at once. */
  readonly unix?: boolean;
  readonly args: (target: number | string) => readonly (string | number)[];
  /** What makes it connect. */
  readonly request: (target: number | string) => string;
}

const upgrading = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ";
const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const tcp = {
  args: (target: number | string) => [0, "127.0.0.1", target],
  request: () => "hello",
};
const webSocket = { ...tcp, request: () => `${upgrading}websocket\r\n${key}\r\n` };
const proxied = {
  ...webSocket,
  args: (target: number | string) => [0, `ws://127.0.0.1:${target}`],
  asks: true,
};

const relays: readonly Relay[] = [
  // What a client sends may be all that it has to send: to have left is to have reset, which only shows
  // to who reads. These two connect before they do.
  { name: "deno_relay", on: "deno", ...tcp, waits: true },
  { name: "bun_relay", on: "bun", ...tcp, waits: true },
  { name: "node_relay", ...tcp },
  {
    name: "connect_proxy",
    args: () => [0],
    request: (target) => `CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: x\r\n\r\nhello`,
  },
  {
    name: "upgrade_server",
    args: (target) => [0, target],
    request: () => `${upgrading}tcp\r\n\r\nhello`,
  },
  { name: "upgrade_websocket", on: "deno", ...webSocket },
  { name: "websocket_bun", on: "bun", ...webSocket, unix: true, args: (target) => [0, target] },
  { name: "websocket_proxy", on: "deno", ...proxied },
  { name: "websocket_proxy_bun", on: "bun", ...proxied },
  { name: "websocket_proxy_node", on: "node", ...proxied },
];

const CLIENTS = 20;
/** What a runtime opens once, and keeps. */
const OWN = 5;

for (
  const { name, on, waits, asks, unix, args, request } of process.platform === "linux" ? relays : []
) {
  if (on && on !== runtime) continue;

  test(`${name} keeps nothing of a client whose target refuses`, async () => {
    const target = unix ? "/none" : await freePort();
    await using program = new Recipe(name, ...args(target));
    const port = await program.port();
    const before = sockets(program);
    const clients = await asked(port, request(target));
    await Promise.all(clients.map(answered));
    for (const socket of clients) socket.end();
    await until(() => sockets(program) <= before + OWN);
  });

  test(`${name} keeps nothing of a client that leaves a server which never answers`, async () => {
    let accepted = 0;
    await using server = new TestServer((socket) => {
      socket.resume();
      accepted++;
    });
    const target = await (unix ? server.path() : server.port());
    await using program = new Recipe(name, ...args(target));
    const port = await program.port();
    const before = sockets(program);
    const clients = await asked(port, request(target));
    const told = Promise.all(clients.map(answered));
    await until(() => accepted === CLIENTS);
    // Of a WebSocket that has not opened by then, Deno keeps the connection for good (2.9).
    if (!asks && request(target).includes("HTTP")) await told;
    for (const socket of clients) socket.resetAndDestroy();
    await until(() => sockets(program) <= before + OWN);
  });

  if (waits || unix) continue;
  test(`${name} gives up connecting once its client has left`, async () => {
    await using server = await FullServer.start();
    await using program = new Recipe(name, ...args(server.port));
    const port = await program.port();
    const before = sockets(program);
    const clients = await asked(port, request(server.port));
    await until(() => sockets(program) >= before + 2 * CLIENTS);
    for (const socket of clients) socket.resetAndDestroy();
    await until(() => sockets(program) <= before + OWN);
  });
}

/** Of Deno and of Bun. */
const upgrade = runtime === "deno" ? "upgrade_websocket" : "websocket_bun";

test(`${upgrade} keeps no connection for a handshake without a key`, {
  on: ["deno", "bun"],
}, async () => {
  await using target = lateReplies();
  const args = runtime === "deno" ? ["127.0.0.1", await target.port()] : [await target.path()];
  await using program = new Recipe(upgrade, 0, ...args);
  const port = await program.port();
  const before = sockets(program);
  const clients = await asked(port, `${upgrading}websocket\r\n\r\n`);
  await Promise.all(clients.map(async (socket) => {
    assertMatch(String(await once(socket, "data")), /^HTTP\S+ 400 /);
  }));
  for (const socket of clients) socket.end();
  await until(() => sockets(program) <= before + OWN);
});

test("upgrade_websocket keeps no connection for a client that left unnoticed", {
  on: ["deno"],
}, async () => {
  await using server = await FullServer.start();
  await using program = new Recipe("upgrade_websocket", 0, "127.0.0.1", server.port);
  const port = await program.port();
  const before = sockets(program);
  // Few, as the server has little room for those that come at once.
  const clients = await asked(port, webSocket.request(), 2);
  await until(() => sockets(program) >= before + 4);
  // That it is connected, and that its client has left, is news of the same turn.
  program.signal("SIGSTOP");
  await server.resume();
  await server.accepted(2);
  for (const socket of clients) socket.resetAndDestroy();
  program.signal("SIGCONT");
  await server.closed();
});

/** Clients that have sent their request. */
async function asked(port: number, request: string, count = CLIENTS): Promise<Socket[]> {
  // One that a relay has reset by now, Bun says has never been connected (1.4).
  const dialing = Array.from({ length: count }, () => dial(port).catch(() => {}));
  const clients = (await Promise.all(dialing)).filter((socket) => socket !== undefined);
  for (const socket of clients) socket.resume().write(request);
  return clients;
}

/** By a refusal in words, or by an end or a reset. */
function answered(socket: Socket): Promise<unknown> {
  return Promise.race(["data", "end", "close"].map((event) => once(socket, event))).catch(() => {});
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(10);
}
