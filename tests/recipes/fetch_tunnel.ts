/**
 * Takes connections through HTTP, on Deno and Bun: each as a request whose body is what the client sends,
 * and whose response's is what it gets. The server has to answer before the request has ended:
 *
 *     deno run --allow-net fetch_tunnel.ts 8080 https://example.com/tunnel
 *
 * @module
 */
import { duplex, join } from "@webstreams/join";
import { fromNodeSocket } from "@webstreams/join/node";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";

const [port, url] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, async (socket) => {
  const client = fromNodeSocket(socket);
  try {
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
    // Node's own `fetch` has the response only once all of the request has been sent.
    const request = { method: "POST", body: readable, duplex: "half" };
    const response = await fetch(url!, request);
    if (!response.ok || !response.body) throw new Error(`${url} answers ${response.status}`);
    const { aToB, bToA } = await join(client, duplex(response.body, writable));
    console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    console.error((error as Error).message);
    client.close?.(error);
  }
});

server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
