import { connect, createServer, type Socket } from "node:net";

/** What one connection goes through, so that it can be cut below what it carries. */
export interface Carrier extends Disposable {
  /** Where to connect to, on 127.0.0.1. */
  readonly port: number;
  /** Resets both sides. */
  reset(): void;
}

/** Carries one connection to a port on 127.0.0.1. */
export async function carryTo(port: number): Promise<Carrier> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (near) => {
    server.close();
    const far = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    sockets.push(near, far);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.setNoDelay(true);
      from.pipe(to);
      from.on("error", () => to.resetAndDestroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new TypeError("The carrier has no port");
  return {
    port: address.port,
    reset: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    [Symbol.dispose]() {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}
