/**
 * A TCP relay from 127.0.0.1:9000 to 127.0.0.1:9001, as small as one can be: `join` of raw conns, or
 * with `--native` two `pipeTo` of the conns' streams, for comparison.
 */
import { join } from "../mod.ts";

const native = Deno.args.includes("--native");

async function relay(client: Deno.TcpConn): Promise<unknown> {
  const server = await Deno.connect({ hostname: "127.0.0.1", port: 9001 });
  client.setNoDelay(true);
  server.setNoDelay(true);
  if (!native) return join(client, server);
  return Promise.all([
    client.readable.pipeTo(server.writable),
    server.readable.pipeTo(client.writable),
  ]);
}

// The load generator counts what did not arrive.
const ignore = () => {};
for await (const client of Deno.listen({ hostname: "127.0.0.1", port: 9000 })) {
  relay(client).catch(ignore);
}
