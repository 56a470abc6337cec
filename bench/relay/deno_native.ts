/**
 * A relay on Deno by two native `pipeTo`: `deno_native.ts VIA TARGET`.
 *
 * @module
 */
const hostname = "127.0.0.1";
const [via, target] = Deno.args.map(Number);

async function relay(client: Deno.TcpConn): Promise<void> {
  const server = await Deno.connect({ hostname, port: target! });
  client.setNoDelay(true);
  server.setNoDelay(true);
  await Promise.all([
    client.readable.pipeTo(server.writable),
    server.readable.pipeTo(client.writable),
  ]);
}

// The load counts what did not arrive.
const ignore = () => {};
for await (const client of Deno.listen({ hostname, port: via! })) relay(client).catch(ignore);
