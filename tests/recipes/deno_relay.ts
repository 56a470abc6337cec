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
for await (const client of listener) {
  relay(client).catch((error) => console.error(error.message));
}

async function relay(client: Deno.TcpConn): Promise<void> {
  const upstream = await Deno.connect({ hostname, port: Number(target) }).catch((error) => {
    client.close();
    throw error;
  });
  const { aToB, bToA } = await join(client, upstream, { idleTimeout: 60_000 });
  console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
}
