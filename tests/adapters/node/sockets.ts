/** What the tests of Node's sockets share. */
import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { fromNodeSocket } from "@webstreams/join/node";
import type { Connected } from "../../contract/suite.ts";
import type { RemoteFar } from "../../peer/client.ts";

/** Where they listen. */
export const host = "127.0.0.1";

/** The end of a socket, with its far side. */
export function connected(socket: Socket, peer: RemoteFar): Connected {
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  return {
    end: fromNodeSocket(socket),
    peer,
    leftovers: async () => {
      if (!socket.destroyed) return ["an open socket"];
      // It is destroyed at once, and says so a little later.
      await closed;
      return listeners(socket);
    },
    dispose: () => void socket.destroy(),
  };
}

/** Of the events that an end listens to, and none else does once the socket is closed. */
function listeners(socket: Socket): string[] {
  return ["data", "drain"].flatMap((event) => Array(socket.listenerCount(event)).fill(event));
}

/** Listens on a free port for one connection. */
export async function listenOnce(server: Server, event: string) {
  const accepted = once(server, event).then(([socket]) => {
    server.close();
    return socket as Socket;
  });
  server.listen(0, host);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, accepted };
}
