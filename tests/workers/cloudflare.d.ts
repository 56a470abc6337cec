/** What the Workers here use of the runtime's own types (`@cloudflare/workers-types`). */

/** A TCP connection. */
export interface Socket {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
  readonly opened: Promise<unknown>;
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export function connect(
  address: string | { hostname: string; port: number },
  options?: { allowHalfOpen?: boolean; highWaterMark?: number },
): Socket;

declare global {
  /** Two ends of one connection: the first goes into the response, the second stays here. */
  class WebSocketPair {
    readonly 0: WebSocket;
    readonly 1: WebSocket;
  }
  interface ResponseInit {
    webSocket?: WebSocket;
  }
}
