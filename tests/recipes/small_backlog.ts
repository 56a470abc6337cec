/**
 * Echoes, and lets few wait to be accepted; see {@linkcode FullServer}.
 *
 * @module
 */
import { type AddressInfo, createServer } from "node:net";

const server = createServer((socket) => {
  console.log("accepted");
  socket.on("close", () => console.log("closed"));
  socket.on("error", () => {}).pipe(socket);
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
