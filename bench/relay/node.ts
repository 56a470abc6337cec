/**
 * A relay on Node by `join`: `node.ts VIA TARGET`.
 *
 * @module
 */
import { connect, createServer } from "node:net";
import process from "node:process";
import { join } from "../../mod.ts";
import { connectNodeSocket, fromNodeSocket } from "../../src/adapters/node/mod.ts";

const [via, port] = process.argv.slice(2).map(Number);
const options = { allowHalfOpen: true, noDelay: true };
// The load counts what did not arrive.
const ignore = () => {};

createServer(options, (client) => {
  const server = connectNodeSocket(connect, { ...options, host: "127.0.0.1", port: port! });
  join(fromNodeSocket(client), server).catch(ignore);
}).listen(via, "127.0.0.1");
