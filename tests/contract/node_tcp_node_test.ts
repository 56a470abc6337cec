/** The contract over `node:net`, connected and accepted, also where Deno and Bun have it. */
import { connect, createServer, type NetConnectOpts, type Socket } from "node:net";
import { connectNodeSocket } from "@webstreams/join/node";
import { connected, host, listenOnce } from "../adapters/node/sockets.ts";
import { capabilitiesOf, contract } from "./suite.ts";
import { dial, listen } from "../peer/client.ts";
import { platform, runtime } from "../support/environment.ts";

const name = "fromNodeSocket";
const capabilities = capabilitiesOf(name, platform);
const allowHalfOpen = true;

contract(name, capabilities, async (options) => {
  const peer = await listen("tcp", options);
  return connected(connect({ host, port: peer.address.port, allowHalfOpen }), peer);
});

// Elsewhere it is the same as `fromNodeSocket`.
contract("connectNodeSocket", runtime === "node" ? capabilities : undefined, async (options) => {
  const peer = await listen("tcp", options);
  const { port } = peer.address;
  let socket: Socket;
  connectNodeSocket((all: NetConnectOpts) => socket = connect(all), { host, port });
  return connected(socket!, peer);
}, { bulk: 8 * 1024 * 1024 });

contract(`${name}, accepted`, capabilities, async (options) => {
  const { port, accepted } = await listenOnce(createServer({ allowHalfOpen }), "connection");
  const peer = await dial("tcp", { port }, options);
  return connected(await accepted, peer);
}, { bulk: 8 * 1024 * 1024 });
