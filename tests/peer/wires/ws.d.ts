/**
 * What is used of the `ws` package: its own types would bring all of Node's into the project.
 *
 * @module
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

interface Options {
  maxPayload?: number;
  perMessageDeflate?: boolean;
}

interface ClientOptions extends Options {
  headers?: Record<string, string>;
}

interface ServerOptions extends Options {
  server?: Server;
  noServer?: boolean;
  handleProtocols?(offered: Set<string>, request: IncomingMessage): string | false;
}

export class WebSocket {
  constructor(url: string, options?: Options);
  constructor(url: string, protocols: string[], options?: ClientOptions);
  readonly readyState: number;
  readonly protocol: string;
  addEventListener(type: string, listener: { handleEvent(event: never): void }): void;
  removeEventListener(type: string, listener: { handleEvent(event: never): void }): void;
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): this;
  on(event: "close", listener: (code: number, reason: Uint8Array) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  once(event: "error", listener: (error: Error) => void): this;
  once(event: "open", listener: () => void): this;
  once(event: "close", listener: (code: number, reason: Uint8Array) => void): this;
  off(event: "error", listener: (error: Error) => void): this;
  send(data: Uint8Array | string): void;
  send(data: Uint8Array, options: { binary: boolean }, sent: (error?: Error) => void): void;
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

export class WebSocketServer {
  constructor(options: ServerOptions);
  on(
    event: "connection",
    listener: (socket: WebSocket, request: IncomingMessage) => void,
  ): this;
  once(event: "connection", listener: (socket: WebSocket) => void): this;
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    callback: (socket: WebSocket) => void,
  ): void;
}

export function createWebSocketStream(socket: WebSocket): Duplex;
