/**
 * A relay from WebSockets on 127.0.0.1:9102 to TCP on 127.0.0.1:9103, on Bun and Deno: `join`, or with
 * `--by-hand` what one would write with the runtime's own events, for comparison.
 */
import { join, type JoinResult } from "../../mod.ts";
import {
  type BunHandlers,
  type BunSocket,
  fromBunSocket,
  handlers,
} from "../../src/adapters/bun/mod.ts";
import {
  fromWebSocket,
  type WebSocketHandlers,
  webSocketHandlers,
  type WebSocketLike,
} from "../../src/adapters/websocket/mod.ts";

const [HOSTNAME, VIA, TARGET] = ["127.0.0.1", 9102, 9103];
const byHand = ("Bun" in globalThis ? Bun.argv : Deno.args).includes("--by-hand");
// The load generator counts what did not arrive.
const ignore = () => {};

function serveWithDeno(): void {
  Deno.serve({ hostname: HOSTNAME, port: VIA }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    if (byHand) relayByHand(socket);
    else relay(socket).catch(ignore);
    return response;
  });
}

async function relay(socket: WebSocket): Promise<JoinResult> {
  // Deno's cannot be paused: more may wait than by default while the other processes have the CPUs.
  const client = fromWebSocket(socket, { maxBuffered: 1024 ** 3 });
  const server = await Deno.connect({ hostname: HOSTNAME, port: TARGET });
  server.setNoDelay(true);
  return await join(client, server);
}

function relayByHand(socket: WebSocket): void {
  const connected = Deno.connect({ hostname: HOSTNAME, port: TARGET });
  let written: Promise<unknown> = connected.then((server) => server.setNoDelay(true));
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    written = written.then(async () => {
      const server = await connected;
      for (let rest = new Uint8Array(data); rest.length > 0;) {
        rest = rest.subarray(await server.write(rest));
      }
    });
  };
  socket.onclose = () => connected.then((server) => server.close());
  socket.onopen = async () => {
    const server = await connected;
    const buffer = new Uint8Array(64 * 1024);
    for (let n = await server.read(buffer); n !== null; n = await server.read(buffer)) {
      socket.send(buffer.subarray(0, n));
    }
  };
}

function serveWithBun(): void {
  Bun.serve({
    hostname: HOSTNAME,
    port: VIA,
    fetch: (request, server) => {
      if (!server.upgrade(request, { data: {} })) return new Response("", { status: 426 });
      return undefined;
    },
    websocket: byHand ? bunByHand : { ...webSocketHandlers, open: bunRelay },
  });
}

async function bunRelay(socket: BunWebSocket): Promise<void> {
  const client = fromWebSocket(socket);
  const server = await Bun.connect({
    hostname: HOSTNAME,
    port: TARGET,
    allowHalfOpen: true,
    socket: handlers,
  });
  await join(client, fromBunSocket(server)).catch(ignore);
}

/** One relayed connection's state. */
interface Relayed {
  server?: TcpSocket;
  rest?: Uint8Array;
}

interface TcpSocket extends BunSocket {
  end(): void;
}

interface BunWebSocket extends WebSocketLike {
  readonly data: Relayed;
  pause(): void;
  resume(): void;
}

/** What is used of Bun. */
declare const Bun: {
  readonly argv: readonly string[];
  connect(options: {
    hostname: string;
    port: number;
    allowHalfOpen?: boolean;
    socket: Partial<Record<keyof BunHandlers | "open", unknown>>;
  }): Promise<BunSocket>;
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request, server: Upgrader): Response | undefined;
    websocket: Partial<Record<keyof WebSocketHandlers | "open", unknown>>;
  }): unknown;
};

interface Upgrader {
  upgrade(request: Request, options: { data: Relayed }): boolean;
}

const bunByHand = {
  open(socket: BunWebSocket) {
    socket.pause();
    Bun.connect({
      hostname: HOSTNAME,
      port: TARGET,
      socket: {
        open(server: TcpSocket) {
          socket.data.server = server;
          socket.resume();
        },
        data(server: TcpSocket, bytes: Uint8Array<ArrayBuffer>) {
          if (socket.send(bytes) === -1) server.pause();
        },
        drain(server: TcpSocket) {
          const { rest } = socket.data;
          if (!rest) return;
          const taken = server.write(rest);
          socket.data.rest = taken < rest.length ? rest.subarray(taken) : undefined;
          if (!socket.data.rest) socket.resume();
        },
        close: () => socket.close(),
      },
    });
  },
  message(socket: BunWebSocket, message: Uint8Array) {
    const { data } = socket;
    const taken = data.server!.write(message);
    if (taken === message.length) return;
    // What comes although it is paused has to wait as well.
    data.rest = data.rest ? Buffer.concat([data.rest, message]) : message.subarray(taken);
    socket.pause();
  },
  drain: (socket: BunWebSocket) => socket.data.server?.resume(),
  close: (socket: BunWebSocket) => socket.data.server?.end(),
};

if ("Bun" in globalThis) serveWithBun();
else serveWithDeno();
