/**
 * A reverse proxy for WebSockets, on Deno:
 *
 *     deno run --allow-net websocket_proxy.ts 8080 ws://127.0.0.1:9001
 *
 * @module
 */
import { join } from "@webstreams/join";
import { fromWebSocket } from "@webstreams/join/websocket";
import { forwarded, protocolsOf } from "./websocket_proxy_request.ts";

const [port, target] = Deno.args;

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  onListen: (addr) => console.log(`listening on ${addr.port}`),
}, upgrade);

async function upgrade(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) {
  const { headers, signal } = request;
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response("Only for WebSockets", { status: 426 });
  }
  const { pathname, search } = new URL(request.url);
  const dialled = new WebSocket(target + pathname + search, {
    protocols: protocolsOf(headers.get("sec-websocket-protocol")),
    headers: forwarded(headers, info.remoteAddr.hostname),
  });
  const upstream = fromWebSocket(dialled, { messages: true }); // At once: it keeps what comes meanwhile.
  const leave = () => dialled.close();
  signal.addEventListener("abort", leave); // By a client that leaves.
  try {
    // First, as it is the target that chooses the subprotocol, or refuses.
    if (!await opened(dialled)) return new Response("The target has not answered", { status: 502 });
    signal.throwIfAborted();
    signal.removeEventListener("abort", leave); // It aborts as the request is answered, too (Deno 2.9).
    // Its pings would wait behind what a slow reader has still to read, and cut it off.
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    // Its own option for that knows no "a,b" without a space (2.9).
    if (dialled.protocol) response.headers.set("sec-websocket-protocol", dialled.protocol);
    relay(socket);
    return response;
  } catch (error) {
    dialled.close();
    return new Response((error as Error).message, { status: 400 });
  }

  function relay(socket: WebSocket): void {
    // A client that has left unnoticed: the WebSocket never opens, and tells nothing (Deno 2.9).
    const opening = new AbortController();
    const timer = setTimeout(() => opening.abort(new Error("It has not opened")), 5000);
    socket.addEventListener("open", () => clearTimeout(timer));
    join(fromWebSocket(socket, { messages: true }), upstream, { signal: opening.signal }).then(
      ({ aToB, bToA }) => console.log(`${aToB.chunks} messages there, ${bToA.chunks} back`),
      (error) => console.error(error.message),
    );
  }
}

function opened(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.addEventListener("open", () => resolve(true));
    socket.addEventListener("close", () => resolve(false));
  });
}
