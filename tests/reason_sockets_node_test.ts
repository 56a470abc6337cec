/**
 * Which word real sockets' failures become, on Deno, Node and Bun. Resets are in the contract, of every
 * end on every runtime (`contract/failing.ts`).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type NetConnectOpts,
  type Server,
  type Socket,
} from "node:net";
import { connect as connectTls } from "node:tls";
import { type EndReason, join, memoryPair } from "@webstreams/join";
import { connectNodeSocket, fromNodeSocket } from "@webstreams/join/node";
import { fromWebSocket } from "@webstreams/join/websocket";
import { assertEquals } from "@std/assert";
import { host } from "./adapters/node/sockets.ts";
import { capabilitiesOf } from "./contract/suite.ts";
import { test } from "./harness.ts";
import { certificate } from "./peer/client.ts";
import { platform, runtime } from "./support/environment.ts";
import { joinError } from "./support/errors.ts";

/** Listens, with `serve` for each connection. */
async function listening(serve: (socket: Socket) => void = () => {}) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // Tests break connections.
    socket.on("error", () => {});
    serve(socket);
  });
  server.listen(0, host);
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

async function refusing(): Promise<number> {
  const { server, port } = await listening();
  await closed(server);
  return port;
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

/** The join of the socket fails for this reason; says the cause if it is another one. */
async function failsFor(reason: EndReason, socket: Socket): Promise<void> {
  const error = await joinError(join(fromNodeSocket(socket), memoryPair()[0]));
  assertEquals([error.reason, error.first], [reason, "a"], String(error.cause));
}

test("reason: a port on which nobody listens is 'refused'", async () => {
  await failsFor("refused", connect({ host, port: await refusing() }));
});

test("reason: so is one of both families' addresses", async () => {
  await failsFor("refused", connect({ host: "localhost", port: await refusing() }));
});

test("reason: an address without a way to it is 'unreachable', which Bun refuses", async () => {
  // The loopback's broadcast address: nothing leaves the machine.
  const socket = connect({ host: "127.255.255.255", port: 9 });
  await failsFor(runtime === "bun" ? "refused" : "unreachable", socket);
});

test("reason: a name that cannot be is 'unreachable'", async () => {
  await failsFor("unreachable", connect({ host: "a..b", port: 9 }));
});

test("reason: a Unix socket that is not there is 'unreachable'", async () => {
  // Bun destroys the socket at once.
  const end = connectNodeSocket((all: NetConnectOpts) => connect(all), { path: "/no/such/socket" });
  const error = await joinError(join(memoryPair()[0], end));
  assertEquals([error.reason, error.first], ["unreachable", "b"], String(error.cause));
});

test("reason: a write that the peer takes no more is 'reset'", async () => {
  const { server, port } = await listening((socket) => socket.end(() => socket.destroy()));
  const socket = connect({ host, port, allowHalfOpen: true });
  const [here, there] = memoryPair();
  const joined = join(fromNodeSocket(socket), here);
  assertEquals((await there.readable.getReader().read()).done, true);
  const writer = there.writable.getWriter();
  const writing = (async () => {
    for (;;) {
      await writer.ready;
      await writer.write(new Uint8Array(1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })().catch(() => {});
  const { reason, first, cause } = await joinError(joined);
  assertEquals([reason, first], ["reset", "a"], String(cause));
  await writing;
  await closed(server);
});

test("reason: a socket that its owner destroys is 'closed'", async () => {
  const { server, port } = await listening((socket) => socket.write("x"));
  const socket = connect({ host, port, allowHalfOpen: true });
  await once(socket, "connect");
  const failed = failsFor("closed", socket);
  setTimeout(() => socket.destroy(), 20);
  await failed;
  server.close();
});

if (capabilitiesOf("fromNodeSocket, TLS", platform)) {
  test("reason: a peer that talks no TLS is 'protocol'", async () => {
    const { server, port } = await listening((socket) => socket.end("HTTP/1.1 400 No TLS\r\n\r\n"));
    await failsFor("protocol", connectTls({ host, port }));
    server.close();
  });

  test("reason: a peer that ends during the TLS handshake is 'protocol'", async () => {
    const { server, port } = await listening((socket) => socket.once("data", () => socket.end()));
    await failsFor("protocol", connectTls({ host, port }));
    server.close();
  });

  test("reason: a TLS peer that is not trusted is 'protocol'", async () => {
    const { createServer } = await import("node:tls");
    const server = createServer(await certificate(), (socket) => socket.on("error", () => {}));
    server.listen(0, host);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await failsFor("protocol", connectTls({ host, port }));
    await failsFor(
      "protocol",
      connectTls({ host, port, ca: (await certificate()).cert, servername: "x.example" }),
    );
    server.close();
  });
}

/** Opens a WebSocket, and then sends these bytes. */
async function misbehaving(bytes: readonly number[]) {
  return await listening((socket) => {
    socket.once("data", (head) => {
      const [, key] = /sec-websocket-key: (.*)\r\n/i.exec(String(head))!;
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
      );
      socket.end(new Uint8Array(bytes));
    });
  });
}

/** Frames of a server's, RFC 6455, 5.2. */
const FRAMES: readonly [string, readonly number[], EndReason][] = [
  ["closed with 1002, a protocol error", [0x88, 2, 0x03, 0xea], "protocol"],
  ["closed with 1009, too big", [0x88, 2, 0x03, 0xf1], "protocol"],
  ["closed with 1011, the server failed", [0x88, 2, 0x03, 0xf3], "reset"],
  ["closed with a code of its application's", [0x88, 2, 0x0f, 0xa1], "reset"],
];

if ("WebSocket" in globalThis) {
  for (const [name, bytes, reason] of FRAMES) {
    test(`reason: a WebSocket that is ${name} is '${reason}'`, async () => {
      const { server, port } = await misbehaving(bytes);
      const socket = new WebSocket(`ws://${host}:${port}`);
      const error = await joinError(join(memoryPair()[0], fromWebSocket(socket)));
      assertEquals([error.reason, error.first], [reason, "b"], String(error.cause));
      server.close();
    });
  }

  test("reason: a WebSocket that cannot be opened is 'unreachable'", async () => {
    const socket = new WebSocket(`ws://${host}:${await refusing()}`);
    const error = await joinError(join(fromWebSocket(socket), memoryPair()[0]));
    assertEquals([error.reason, error.first], ["unreachable", "a"], String(error.cause));
  });
}
