/**
 * A proxy for HTTP/2's CONNECT method, on Node, Deno and Bun: many tunnels over one connection. Browsers
 * want it over TLS:
 *
 *     node connect_proxy_http2.js 8080 [CERTIFICATE KEY]
 *
 * @module
 */
import { join } from "@webstreams/join";
import { fromNodeSocket } from "@webstreams/join/node";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, Socket } from "node:net";
import process from "node:process";

const [port, cert, key] = process.argv.slice(2);

const server = cert && key
  ? createSecureServer({ cert: readFileSync(cert), key: readFileSync(key) })
  : createServer();

server.on("stream", async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
  if (headers[":method"] !== "CONNECT") {
    return stream.respond({ ":status": 405 }, { endStream: true });
  }
  const authority = headers[":authority"];
  const upstream = new Socket({ allowHalfOpen: true });
  // A client that leaves meanwhile ends the connecting.
  const leave = () => void upstream.destroy(new Error("The client has left"));
  stream.on("error", () => {}).once("close", leave);
  try {
    const { hostname, port } = new URL(`http://${authority}`);
    upstream.connect(Number(port || 80), hostname.replace(/^\[|\]$/g, "")); // of [::1]
    await once(upstream, "connect");
    stream.respond({ ":status": 200 });
  } catch (error) {
    console.error(`${authority}: ${(error as Error).message}`);
    upstream.destroy();
    if (!stream.destroyed) stream.respond({ ":status": 502 }, { endStream: true });
    return;
  } finally {
    stream.off("close", leave);
  }
  try {
    const { aToB, bToA } = await join(fromNodeSocket(stream), fromNodeSocket(upstream));
    console.log(`${authority}: ${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    console.error(`${authority}: ${(error as Error).message}`);
  }
});

server.listen(Number(port ?? 8080), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
