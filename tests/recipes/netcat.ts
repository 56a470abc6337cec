/**
 * Joins standard input and output to a TCP server, on Deno, as ssh's ProxyCommand wants it:
 *
 *     ssh -o ProxyCommand="deno run --allow-net netcat.ts %h %p" example.com
 *
 * @module
 */
import { duplex, join } from "@webstreams/join";

const [hostname, port] = Deno.args;
const conn = await Deno.connect({ hostname, port: Number(port) });
const { aToB, bToA } = await join(duplex(Deno.stdin, Deno.stdout), conn);
console.error(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
