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
const options = { hostname: "127.0.0.1", port: Number(port), onListen };
while (true) { // It ends once no descriptor is left (Deno 2.9).
  await Deno.serve(options, upgrade).finished.catch((error) => console.error(error.message));
  await new Promise((resolve) => setTimeout(resolve, 100));
}

async function upgrade(request: Request): Promise<Response> {
  if (request.headers.get("upgrade") !== "websocket") {
    return new Response("Only for WebSockets", { status: 426 });
  }
  // First, so that a client is not upgraded in vain: if it fails, the answer is a 500.
  const { signal } = request; // Aborted by a client that leaves.
  const upstream = await Deno.connect({ hostname, port: Number(target), signal });
  try {
    signal.throwIfAborted();
    // Its pings would wait behind what a slow reader has still to read, and cut it off.
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    relay(socket, upstream).catch((error) => console.error(error.message));
    return response;
  } catch (error) {
    upstream.close();
    return new Response((error as Error).message, { status: 400 });
  }
}

async function relay(socket: WebSocket, upstream: Deno.TcpConn): Promise<void> {
  // A client that has left unnoticed: the WebSocket never opens, and tells nothing (Deno 2.9).
  const opening = new AbortController();
  const timer = setTimeout(() => opening.abort(new Error("It has not opened")), 5000);
  socket.addEventListener("open", () => clearTimeout(timer));
  const { aToB, bToA } = await join(fromWebSocket(socket), upstream, {
    signal: opening.signal,
    idleTimeout: 300_000,
    halfCloseTimeout: 1000, // A WebSocket cannot be told that the server has ended, but by its close.
  });
  console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
}
