/**
 * Serves a program to whoever connects, as inetd does, on Deno:
 *
 *     deno run --allow-net --allow-run child_process.ts 8080 sort -r
 *
 * @module
 */
import { duplex, join } from "@webstreams/join";

const [port, program, ...args] = Deno.args;
const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
console.log(`listening on ${(listener.addr as Deno.NetAddr).port}`);
for await (const client of accepted(listener)) {
  serve(client).catch((error) => console.error(error.message));
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  using client = conn; // Closed, whatever happens,
  const command = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" });
  await using child = command.spawn(); // and killed, if it has not ended.
  const { aToB, bToA } = await join(client, duplex(child.stdout, child.stdin));
  console.log(`${aToB.bytes} bytes in, ${bToA.bytes} out, exit ${(await child.status).code}`);
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
