/**
 * Relays TCP, on Deno:
 *
 *     deno run --allow-net deno_relay.ts 8080 127.0.0.1 80
 *
 * @module
 */
import { join } from "@webstreams/join";

const [port, hostname, target] = Deno.args;
const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
console.log(`listening on ${(listener.addr as Deno.NetAddr).port}`);
for await (const client of accepted(listener)) {
  relay(client).catch((error) => console.error(error.message));
}

async function relay(conn: Deno.TcpConn): Promise<void> {
  using client = conn; // Closed, whatever happens.
  const signal = AbortSignal.timeout(10_000);
  using upstream = await Deno.connect({ hostname, port: Number(target), signal });
  const { aToB, bToA } = await join(client, upstream, { idleTimeout: 60_000 });
  console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
}

/** Its own iterator ends with the first failure, be that a client's, or that too much is open. */
async function* accepted(listener: Deno.TcpListener): AsyncGenerator<Deno.TcpConn> {
  const { BadResource, ConnectionAborted, ConnectionReset, NotConnected } = Deno.errors;
  while (true) {
    try {
      yield await listener.accept();
    } catch (error) {
      if (error instanceof BadResource) return; // The listener has been closed.
      // That a client has left again is no reason to wait; that no descriptor is left is one.
      const left = [ConnectionAborted, ConnectionReset, NotConnected];
      if (left.some((kind) => error instanceof kind)) continue;
      console.error((error as Error).message);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
