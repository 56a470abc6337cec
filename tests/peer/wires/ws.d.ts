/**
 * What is used of the `ws` package: its own types would bring all of Node's into the project.
 *
 * @module
 */
import type { Server } from "node:http";
import type { Duplex } from "node:stream";

interface Options {
  maxPayload?: number;
  perMessageDeflate?: boolean;
}

export class WebSocket {
  constructor(url: string, options?: Options);
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): this;
  on(event: "close", listener: (code: number, reason: Uint8Array) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  once(event: "error", listener: (error: Error) => void): this;
  once(event: "open", listener: () => void): this;
  once(event: "close", listener: (code: number, reason: Uint8Array) => void): this;
  off(event: "error", listener: (error: Error) => void): this;
  send(data: Uint8Array, options: { binary: boolean }, sent: (error?: Error) => void): void;
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

export class WebSocketServer {
  constructor(options: Options & { server: Server });
  once(event: "connection", listener: (socket: WebSocket) => void): this;
}

export function createWebSocketStream(socket: WebSocket): Duplex;
