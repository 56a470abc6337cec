/**
 * A relay on Node by `socket.pipe`: `node_pipe.ts VIA TARGET`.
 *
 * @module
 */
import { connect, createServer } from "node:net";
import process from "node:process";

const [via, port] = process.argv.slice(2).map(Number);
const options = { allowHalfOpen: true, noDelay: true };
// The load counts what did not arrive.
const ignore = () => {};

createServer(options, (client) => {
  const server = connect({ ...options, host: "127.0.0.1", port: port! });
  client.on("error", ignore).pipe(server).on("error", ignore).pipe(client);
}).listen(via, "127.0.0.1");
