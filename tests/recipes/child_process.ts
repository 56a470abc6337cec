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
for await (const conn of listener) void serve(conn);

async function serve(conn: Deno.Conn): Promise<void> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  try {
    const { aToB, bToA } = await join(conn, duplex(child.stdout, child.stdin));
    console.log(`${aToB.bytes} bytes in, ${bToA.bytes} out, exit ${(await child.status).code}`);
  } catch (error) {
    console.error((error as Error).message);
    child.kill();
  }
}
