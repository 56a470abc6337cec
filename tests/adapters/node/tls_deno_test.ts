/** Why there is no contract for `node:tls` on Deno: pass a `Deno.TlsConn` itself there. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { selfSigned } from "../../tools/certs.ts";

const SIZE = 1024 * 1024;
const LONG_ENOUGH_MS = 500;

test("Deno's node:tls tells no end of file behind a pause (2.9; green until it does)", async () => {
  const { cert, key } = await selfSigned();
  const server = createServer({ cert, key }, (socket) => void socket.end(new Uint8Array(SIZE)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: "127.0.0.1", port, ca: cert });
  let [received, ended] = [0, false];
  socket.on("end", () => ended = true);
  socket.on("data", ({ length }) => {
    received += length;
    socket.pause();
    setTimeout(() => socket.resume());
  });
  const deadline = performance.now() + LONG_ENOUGH_MS;
  while (performance.now() < deadline || received < SIZE) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.destroy();
  server.close();
  await once(server, "close");
  assertEquals([received, ended], [SIZE, false]);
});
