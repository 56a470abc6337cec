/**
 * The sockets that become the ends of a join under test.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type NetConnectOpts } from "node:net";
import type { End as JoinEnd } from "@webstreams/join";
import { fromBunSocket, handlers } from "@webstreams/join/bun";
import { connectNodeSocket, fromNodeSocket } from "@webstreams/join/node";
import { bun, listenOnce } from "../adapters/bun/runtime.ts";
import { deferred } from "../support/async.ts";
import { runtime } from "../support/environment.ts";
import type { End, SocketKind } from "./schedule.ts";

const hostname = "127.0.0.1";
const allowHalfOpen = true;
const options = { hostname, allowHalfOpen, socket: handlers };

/** An end that is to be connected: to a port, or by who connects to its own. */
export interface Opening {
  /** Its own port; 0: it connects. */
  readonly port: number;
  /** The end, once it is connected; the port to connect to. */
  open(port: number): Promise<JoinEnd>;
}

const openings: Readonly<Record<SocketKind, () => Opening | Promise<Opening>>> = {
  "node": () => ({
    port: 0,
    open: (port) => Promise.resolve(fromNodeSocket(connect({ host: hostname, port }))),
  }),

  "node, own memory": () => ({
    port: 0,
    open: (port) =>
      Promise.resolve(
        connectNodeSocket((all: NetConnectOpts) => connect(all), { host: hostname, port }),
      ),
  }),

  "node, accepted": async () => {
    const accepted = deferred<JoinEnd>();
    const server = createServer({ allowHalfOpen }, (socket) => {
      server.close();
      accepted.resolve(fromNodeSocket(socket));
    }).listen(0, hostname);
    await once(server, "listening");
    return { port: (server.address() as AddressInfo).port, open: () => accepted.promise };
  },

  "own": () => ({
    port: 0,
    open: async (port) =>
      runtime === "deno"
        ? await Deno.connect({ hostname, port })
        : fromBunSocket(await bun.connect({ ...options, port })),
  }),

  "own, accepted": () => {
    if (runtime === "deno") {
      const listener = Deno.listen({ hostname, port: 0 });
      const accepted = listener.accept().finally(() => listener.close());
      return { port: listener.addr.port, open: () => accepted };
    }
    const { port, accepted } = listenOnce({ ...options, port: 0 });
    return { port, open: async () => fromBunSocket(await accepted) };
  },
};

/** Makes ready for the connection of an end. */
export async function opening({ kind, streams }: End): Promise<Opening> {
  const { port, open } = await openings[kind]();
  return {
    port,
    async open(to) {
      const end = await open(to);
      // Whoever asks for them has the join go by them.
      if (streams && "readable" in end && !("read" in end)) void [end.readable, end.writable];
      return end;
    },
  };
}
