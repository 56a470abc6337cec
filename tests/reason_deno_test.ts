/** Which word the failures of Deno's own ends become. Resets are in the contract. */
import { duplex, type EndReason, join, memoryPair, type Pair } from "@webstreams/join";
import { assertEquals } from "@std/assert";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { selfSigned } from "./tools/certs.ts";
import { test } from "./harness.ts";
import { joinError } from "./support/errors.ts";

const hostname = "127.0.0.1";

/** A peer as raw as can be. */
async function listening(serve: (socket: Socket) => void = () => {}) {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on("error", () => {}));
    serve(socket);
  });
  server.listen(0, hostname);
  await once(server, "listening");
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  return { port: (server.address() as { port: number }).port, stop };
}

async function failsFor(reason: EndReason, end: Pair | Deno.Conn): Promise<void> {
  const error = await joinError(join(end, memoryPair()[0]));
  assertEquals([error.reason, error.first], [reason, "a"], String(error.cause));
}

test("reason: a Deno.Conn that is closed by somebody else is 'closed'", async () => {
  const { port, stop } = await listening();
  const conn = await Deno.connect({ hostname, port });
  const failed = failsFor("closed", conn);
  setTimeout(() => conn.close(), 20);
  await failed;
  await stop();
});

test("reason: so is one that was closed before", async () => {
  const { port, stop } = await listening();
  const conn = await Deno.connect({ hostname, port });
  conn.close();
  await failsFor("closed", conn);
  await stop();
});

test("reason: a write that the peer of a Deno.Conn takes no more is 'reset'", async () => {
  const { port, stop } = await listening((socket) => socket.end(() => socket.destroy()));
  const conn = await Deno.connect({ hostname, port });
  const [here, there] = memoryPair();
  const joined = join(here, conn);
  const error = joinError(joined);
  assertEquals((await there.readable.getReader().read()).done, true);
  const writer = there.writable.getWriter();
  while (true) {
    try {
      await writer.write(new Uint8Array(1));
    } catch {
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { reason, first, cause } = await error;
  assertEquals([reason, first], ["reset", "b"], String(cause));
  await stop();
});

test("reason: a peer of a Deno.TlsConn that talks no TLS is 'protocol'", async () => {
  const { port, stop } = await listening((socket) => socket.write("HTTP/1.1 400 No TLS\r\n\r\n"));
  await failsFor("protocol", await Deno.connectTls({ hostname, port }));
  await stop();
});

test("reason: one that ends during the handshake is 'protocol'", async () => {
  const { port, stop } = await listening((socket) => socket.once("data", () => socket.end()));
  await failsFor("protocol", await Deno.connectTls({ hostname, port }));
  await stop();
});

test("reason: one that is not trusted is 'protocol', and so are we to it", async () => {
  using listener = Deno.listenTls({ hostname, port: 0, ...await selfSigned() });
  const [near, far] = await Promise.all([
    Deno.connectTls({ hostname, port: listener.addr.port }),
    listener.accept(),
  ]);
  await Promise.all([failsFor("protocol", near), failsFor("protocol", far)]);
});

test("reason: TLS that is cut without its goodbye is 'protocol'", async () => {
  const { cert, key } = await selfSigned();
  using listener = Deno.listenTls({ hostname, port: 0, cert, key });
  const { promise: carried, resolve } = Promise.withResolvers<Socket>();
  const { port, stop } = await listening(resolve);
  const dialed = Deno.connectTls({ hostname, port, caCerts: [cert] });
  const onward = await Deno.connect({ hostname, port: listener.addr.port });
  const far = await listener.accept();
  const carrier = await carried;
  carrier.on("data", (chunk: Uint8Array<ArrayBuffer>) => void onward.write(chunk));
  const back = (async () => {
    for (const p = new Uint8Array(4096);;) {
      const count = await onward.read(p).catch(() => null);
      if (count === null) return;
      carrier.write(p.slice(0, count));
    }
  })();
  const near = await dialed;
  await Promise.all([near.handshake(), far.handshake()]);
  const failed = failsFor("protocol", near);
  carrier.end();
  await failed;
  far.close();
  onward.close();
  await back;
  await stop();
});

test("reason: a child that reads no more is 'reset'", async () => {
  const child = new Deno.Command("true", { stdin: "piped", stdout: "piped" }).spawn();
  await child.status;
  const [here, there] = memoryPair();
  const joined = join(here, duplex(child.stdout, child.stdin));
  const error = joinError(joined);
  void there.writable.getWriter().write(new Uint8Array(1000)).catch(() => {});
  assertEquals((await error).reason, "reset");
});

test("reason: a body whose fetch is aborted is 'aborted'", async () => {
  const endless = new ReadableStream({ pull: (body) => body.enqueue(new Uint8Array(1)) });
  const server = Deno.serve({ hostname, port: 0, onListen: () => {} }, () => new Response(endless));
  const controller = new AbortController();
  const { signal } = controller;
  const { body } = await fetch(`http://${hostname}:${server.addr.port}`, { signal });
  const [, { writable }] = memoryPair();
  const failed = failsFor("aborted", { readable: body!, writable });
  setTimeout(() => controller.abort(), 20);
  await failed;
  await server.shutdown();
});
