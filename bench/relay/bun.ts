/**
 * A relay on Bun by `join`: `bun.ts VIA TARGET`.
 *
 * @module
 */
import { join } from "../../mod.ts";
import { fromBunSocket, handlers } from "../../src/adapters/bun/mod.ts";
import type { Sockets } from "../../tests/tools/bun.ts";

declare const Bun: Sockets & { readonly argv: readonly string[] };

const hostname = "127.0.0.1";
const allowHalfOpen = true;
const [via, target] = Bun.argv.slice(2).map(Number);
// The load counts what did not arrive.
const ignore = () => {};

Bun.listen({
  hostname,
  port: via,
  allowHalfOpen,
  socket: {
    ...handlers,
    async open(socket) {
      const client = fromBunSocket(socket);
      const server = await Bun.connect({ hostname, port: target, allowHalfOpen, socket: handlers });
      await join(client, fromBunSocket(server)).catch(ignore);
    },
  },
});
