/**
 * WebSockets in tests.
 *
 * @module
 */
import {
  WebSocketCloseError,
  type WebSocketHandlers,
  webSocketHandlers,
  type WebSocketLike,
} from "@webstreams/join/websocket";
import { deferred } from "./async.ts";
import { runtime } from "./environment.ts";

/** For the contract: what closes with a code, both ways. */
export const closeCodes = {
  codeIn: { code: 4001, of: (cause: unknown) => (cause as WebSocketCloseError).code },
  codeOut: { code: 4002, reason: () => new WebSocketCloseError(4002, "enough") },
};

/**
 * For the contract, where nothing stops a peer that sends 32 MiB: too much if nothing of it is read, not if
 * all of it is.
 */
export const almostBulk = { maxBuffered: 24 * 1024 * 1024 };

/** Of a message to a server of Bun's, which takes 16 MiB otherwise. */
const MOST_PAYLOAD = 64 * 1024 * 1024;

/** A client's that is open: one that is not yet has nothing to be reset. */
export async function openedWebSocket<T>(url: string, wrap: (socket: WebSocket) => T): Promise<T> {
  const socket = new WebSocket(url);
  // At once: what comes with the opening is the end's.
  const end = wrap(socket);
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  return end;
}

/** A server of the runtime's own, for one connection. */
export interface WebSocketServing<T> {
  readonly url: string;
  /** What became of the connection. */
  readonly accepted: Promise<T>;
  close(): Promise<void>;
}

/** Serves one connection on 127.0.0.1; `accept` is called before anything can come. */
export function serveWebSocket<T>(accept: (socket: WebSocketLike) => T): WebSocketServing<T> {
  const { promise: accepted, resolve } = deferred<T>();
  if (runtime === "bun") {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) =>
        server.upgrade(request) ? undefined : new Response("", { status: 426 }),
      websocket: {
        ...webSocketHandlers,
        maxPayloadLength: MOST_PAYLOAD,
        open: (socket) => resolve(accept(socket)),
      },
    });
    return { url: `ws://127.0.0.1:${server.port}`, accepted, close: () => server.stop(true) };
  }
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    resolve(accept(socket));
    return response;
  });
  return {
    url: `ws://127.0.0.1:${server.addr.port}`,
    accepted,
    close: () => server.shutdown(),
  };
}

/** What the tests use of Bun. */
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request, server: { upgrade(request: Request): boolean }): Response | undefined;
    websocket: WebSocketHandlers & {
      maxPayloadLength: number;
      open?(socket: WebSocketLike): void;
    };
  }): { readonly port: number; stop(closeConnections: boolean): Promise<void> };
};
