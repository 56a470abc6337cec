/**
 * Bun's sockets in tests.
 *
 * @module
 */
import type { BunSocket } from "@webstreams/join/bun";
import { deferred } from "../../support/async.ts";
import type { SocketOptions, Sockets } from "../../tools/bun.ts";

/** `Bun`, which is there on Bun alone. */
export const bun = (globalThis as { Bun?: Sockets }).Bun as Sockets;

/** Listens for one connection. */
export function listenOnce(
  options: SocketOptions,
): { readonly port: number; readonly accepted: Promise<BunSocket> } {
  const { promise, resolve } = deferred<BunSocket>();
  const listener = bun.listen({
    ...options,
    socket: {
      ...options.socket,
      open(socket) {
        options.socket.open?.(socket);
        listener.stop();
        resolve(socket);
      },
    },
  });
  return { port: listener.port, accepted: promise };
}
