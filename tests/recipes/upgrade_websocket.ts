/**
 * Relays WebSockets to a TCP server, on Deno:
 *
 *     deno run --allow-net upgrade_websocket.ts 8080 127.0.0.1 5900
 *
 * @module
 */
import { join } from "@webstreams/join";
import { fromWebSocket } from "@webstreams/join/websocket";

const [port, hostname, target] = Deno.args;

const onListen = (addr: Deno.NetAddr) => console.log(`listening on ${addr.port}`);
Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen }, async (request) => {
  if (request.headers.get("upgrade") !== "websocket") {
    return new Response("Only for WebSockets", { status: 426 });
  }
  // First, so that a client is not upgraded in vain: if it fails, the answer is a 500.
  const upstream = await Deno.connect({ hostname, port: Number(target) });
  const { socket, response } = Deno.upgradeWebSocket(request);
  join(fromWebSocket(socket), upstream).then(
    ({ aToB, bToA }) => console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`),
    (error) => console.error(error.message),
  );
  return response;
});
