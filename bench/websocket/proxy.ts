/**
 * A proxy from WebSockets on 127.0.0.1:9102 to WebSockets on 127.0.0.1:9103, on Bun, Deno and Node: `join`,
 * or with `--by-hand` what one would write with the platform's own events, for comparison.
 *
 * On Node, the package `ws` is taken from the folder that the variable `MODULES` names.
 */
import { join, type MessagePair } from "../../mod.ts";
import {
  fromWebSocket,
  type WebSocketHandlers,
  webSocketHandlers,
  type WebSocketLike,
} from "../../src/adapters/websocket/mod.ts";

const [HOSTNAME, VIA, TARGET] = ["127.0.0.1", 9102, "ws://127.0.0.1:9103"];
// The load generator counts what did not arrive.
const ignore = () => {};
// Deno's cannot be paused: more may wait than by default while the other processes have the CPUs.
const options = { messages: true, maxBuffered: 1024 ** 3 } as const;

function argumentsOf(): readonly string[] {
  if ("Bun" in globalThis) return Bun.argv;
  if ("Deno" in globalThis) return Deno.args;
  return process.argv;
}

const byHand = argumentsOf().includes("--by-hand");

/** What is common to all WebSockets but those of Bun's server. */
interface Socket extends WebSocketLike {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
}

function opened(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) =>
    Object.assign(socket, { onopen: resolve, onclose: reject })
  );
}

/** With no backpressure, as there is none by hand. */
function pass(from: Socket, to: WebSocketLike): void {
  from.binaryType = "arraybuffer";
  from.onmessage = ({ data }: { data: Uint8Array<ArrayBuffer> }) => to.send(data);
  from.onclose = () => to.close();
}

async function serveWithDeno(): Promise<void> {
  await Deno.serve({ hostname: HOSTNAME, port: VIA }, async (request) => {
    const dialled: Socket = new WebSocket(TARGET);
    const upstream = byHand ? undefined : fromWebSocket(dialled, options);
    await opened(dialled);
    const { socket, response } = Deno.upgradeWebSocket(request);
    if (upstream) {
      join(fromWebSocket(socket, options), upstream).catch(ignore);
    } else {
      pass(socket, dialled);
      pass(dialled, socket);
    }
    return response;
  }).finished;
}

async function serveWithNode(): Promise<void> {
  const { createServer } = await import("node:http");
  const { createRequire } = await import("node:module");
  const { WebSocket, WebSocketServer } = createRequire(process.env.MODULES + "/")("ws");
  const perMessageDeflate = false;
  const upgrader = new WebSocketServer({ noServer: true, perMessageDeflate });
  createServer().on("upgrade", async (request, stream, head) => {
    const dialled: Socket = new WebSocket(TARGET, { perMessageDeflate });
    const upstream = byHand ? undefined : fromWebSocket(dialled, options);
    await opened(dialled);
    upgrader.handleUpgrade(request, stream, head, (socket: Socket) => {
      if (upstream) {
        join(fromWebSocket(socket, options), upstream).catch(ignore);
      } else {
        pass(socket, dialled);
        pass(dialled, socket);
      }
    });
  }).listen(VIA, HOSTNAME);
}

function serveWithBun(): void {
  Bun.serve({
    hostname: HOSTNAME,
    port: VIA,
    async fetch(request, server) {
      const dialled: Socket = new WebSocket(TARGET);
      const data = { dialled, upstream: byHand ? undefined : fromWebSocket(dialled, options) };
      await opened(dialled);
      return server.upgrade(request, { data }) ? undefined : new Response("", { status: 426 });
    },
    websocket: byHand ? bunByHand : {
      ...webSocketHandlers,
      open: (socket: BunWebSocket) => {
        join(fromWebSocket(socket, options), socket.data.upstream!).catch(ignore);
      },
    },
  });
}

const bunByHand = {
  open: (socket: BunWebSocket) => pass(socket.data.dialled, socket),
  message: ({ data }: BunWebSocket, message: Uint8Array<ArrayBuffer>) => data.dialled.send(message),
  close: ({ data }: BunWebSocket) => data.dialled.close(),
};

interface Proxied {
  readonly dialled: Socket;
  readonly upstream?: MessagePair;
}

interface BunWebSocket extends WebSocketLike {
  readonly data: Proxied;
}

/** What is used of Bun. */
declare const Bun: {
  readonly argv: readonly string[];
  serve(options: {
    hostname: string;
    port: number;
    fetch(
      request: Request,
      server: { upgrade(request: Request, options: { data: Proxied }): boolean },
    ): Promise<Response | undefined>;
    websocket: Partial<Record<keyof WebSocketHandlers | "open", unknown>>;
  }): unknown;
};
/** And of Node, without its types. */
declare const process: { readonly argv: readonly string[]; readonly env: Record<string, string> };

if ("Bun" in globalThis) serveWithBun();
else if ("Deno" in globalThis) await serveWithDeno();
else await serveWithNode();
