/**
 * A reset right behind data is no end of file: what has come is not all.
 *
 * @module
 */
import { once } from "node:events";
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, createServer as tlsServer } from "node:tls";
import { duplex, type End, join, JoinError } from "@webstreams/join";
import { connectNodeSocket, fromNodeSocket } from "@webstreams/join/node";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { test } from "../../harness.ts";
import { never, rejection, turns } from "../../support/async.ts";
import type { Runtime } from "../../support/environment.ts";
import { certificate } from "../../peer/client.ts";
import { host, listenOnce } from "./sockets.ts";

const allowHalfOpen = true;

interface Kind {
  readonly name: string;
  /** The far side, and the event with which it has a connection. */
  serve(): Promise<readonly [Server, string]>;
  open(port: number): Promise<End>;
  /** Where it holds; everywhere if it is not said. */
  readonly on?: readonly Runtime[];
}

const plain = () => Promise.resolve([createServer({ allowHalfOpen }), "connection"] as const);
const secure = async () => {
  const { cert, key } = await certificate();
  return [tlsServer({ cert, key, allowHalfOpen }), "secureConnection"] as const;
};

const kinds: readonly Kind[] = [
  {
    name: "fromNodeSocket",
    serve: plain,
    open: (port) => Promise.resolve(fromNodeSocket(connect({ host, port, allowHalfOpen }))),
  },
  {
    name: "connectNodeSocket",
    serve: plain,
    open: (port) =>
      Promise.resolve(connectNodeSocket((all: NetConnectOpts) => connect(all), { host, port })),
  },
  {
    name: "connectNodeSocket, TLS",
    serve: secure,
    // On Deno pass a `Deno.TlsConn` itself.
    on: ["node", "bun"],
    open: async (port) => {
      const { cert: ca } = await certificate();
      const options = { host, port, ca };
      return connectNodeSocket((all: ConnectionOptions) => connectTls(all), options);
    },
  },
];

/** Carries a connection to `port`, up to the next bytes from there once it is told to `reset` behind them. */
async function carrierTo(port: number) {
  const server = createServer({ allowHalfOpen });
  const listening = await listenOnce(server, "connection");
  let resets = false;
  const carried = listening.accepted.then((near) => {
    const far = connect({ host, port, allowHalfOpen });
    near.on("error", () => {});
    far.on("error", () => {});
    near.pipe(far);
    far.on("data", (chunk) => {
      near.write(chunk);
      if (!resets) return;
      // In one turn of this process, so that the other side finds both.
      near.resetAndDestroy();
      far.destroy();
    });
  });
  return { port: listening.port, carried, reset: () => resets = true };
}

for (const { name, serve, open, on } of kinds) {
  for (const hasEnded of [false, true]) {
    const when = hasEnded ? "once we have ended" : "while we may send";
    test(`${name}: a reset right behind data is no end of file (${when})`, { on }, async () => {
      const [server, event] = await serve();
      const { port, accepted } = await listenOnce(server, event);
      const carrier = await carrierTo(port);
      const question = new ReadableStream<Uint8Array<ArrayBuffer>>({
        start(controller) {
          controller.enqueue(new Uint8Array(1));
          if (hasEnded) controller.close();
        },
        pull: () => never(),
      });
      const here = duplex(question, new WritableStream<Uint8Array<ArrayBuffer>>());
      const joined = join(here, await open(carrier.port), { halfCloseTimeout: 1000 });
      joined.catch(() => {});
      const far: Socket = await accepted;
      await carrier.carried;
      far.on("error", () => {});
      far.resume();
      await once(far, hasEnded ? "end" : "data");
      await turns();
      carrier.reset();
      far.write(new Uint8Array(1000));
      const error = await rejection(joined);
      assertInstanceOf(error, JoinError);
      assertEquals([error.reason, error.side, error.end], ["reset", "read", "b"]);
      far.destroy();
    });
  }
}
