/**
 * Relays TCP, on Bun:
 *
 *     bun bun_relay.js 8080 127.0.0.1 80
 *
 * @module
 */
declare const Bun: import("../tools/bun.ts").Sockets & { readonly argv: string[] };

import { join } from "@webstreams/join";
import { fromBunSocket, handlers } from "@webstreams/join/bun";

const [port, hostname, target] = Bun.argv.slice(2);
const allowHalfOpen = true;

const { port: listening } = Bun.listen({
  hostname: "127.0.0.1",
  port: Number(port),
  allowHalfOpen,
  socket: {
    ...handlers,
    async open(socket) {
      const client = fromBunSocket(socket);
      try {
        const upstream = await Bun.connect({
          hostname,
          port: Number(target),
          allowHalfOpen,
          socket: handlers,
        });
        const { aToB, bToA } = await join(client, fromBunSocket(upstream));
        console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
      } catch (error) {
        console.error((error as Error).message);
        client.close?.(error);
      }
    },
  },
});
console.log(`listening on ${listening}`);
