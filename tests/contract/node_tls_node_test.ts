/** The contract over `node:tls`, connected and accepted, also where Deno and Bun have it. */
import type { Socket } from "node:net";
import { connect, type ConnectionOptions, createServer } from "node:tls";
import { connectNodeSocket } from "@webstreams/join/node";
import { connected, host, listenOnce } from "../adapters/node/sockets.ts";
import { capabilitiesOf, contract } from "./suite.ts";
import { certificate, dial, listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";

const name = "fromNodeSocket, TLS";
const capabilities = capabilitiesOf(name, platform);

contract("connectNodeSocket, TLS", capabilities, async (options) => {
  const peer = await listen("tls", options);
  const { port, ca } = peer.address;
  let socket: Socket;
  connectNodeSocket((all: ConnectionOptions) => socket = connect(all), { host, port, ca });
  return connected(socket!, peer);
});

contract(`${name}, accepted`, capabilities, async (options) => {
  const { cert, key } = await certificate();
  const server = createServer({ cert, key, allowHalfOpen: true });
  const { port, accepted } = await listenOnce(server, "secureConnection");
  const peer = await dial("tls", { port, ca: cert }, options);
  return connected(await accepted, peer);
}, { bulk: 8 * 1024 * 1024 });
