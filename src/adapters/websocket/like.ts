// Public: what WebSockets of all kinds have in common, and the error of their close.

/** What {@linkcode fromWebSocket} takes: the part of a WebSocket that it uses. */
export interface WebSocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** As what binary messages come; set to `"arraybuffer"` here. */
  binaryType?: string;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount?: number;
  /** The same of a Bun server's. */
  getBufferedAmount?(): number;
  /** Sends a message, bytes or a text; a Bun server's gives 0 if it did not, and -1 if it must wait. */
  send(message: Uint8Array<ArrayBuffer>): unknown;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Adds a listener; a Bun server's has handlers instead. */
  addEventListener?(type: string, listener: WebSocketListener): void;
  /** Removes a listener. */
  removeEventListener?(type: string, listener: WebSocketListener): void;
  /** Cuts it off: Bun's and those of `ws` have this. */
  terminate?(): void;
  /** Stops the delivery of messages: Bun's and those of `ws` have this. */
  pause?(): unknown;
  /** Resumes it. */
  resume?(): unknown;
  /** Starts the delivery of messages: a Worker's own have this. */
  accept?(): void;
  /** Asks the peer for a pong: Bun's and those of `ws` have this. */
  ping?(): unknown;
}

/** What hears the events of a {@linkcode WebSocketLike}. */
export interface WebSocketListener {
  /** Takes an event. */
  handleEvent(event: never): void;
}

/** What the events of WebSockets have, each something of it. */
export interface WebSocketEventLike {
  readonly type: string;
  readonly data?: unknown;
  readonly error?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
}

/**
 * A WebSocket that was closed with a code other than 1000, 1001 or none, was cut off, or could not be
 * opened (1006, these two).
 *
 * As the reason of an abort it says what the peer is told: a `code` of 3000 to 4999, and the `reason`.
 * So a join of two WebSockets passes these on, as it tears one down with the error of the other.
 */
export class WebSocketCloseError extends Error {
  /** The code that it was closed with. */
  declare readonly code: number;
  /** The reason that came with the code; often empty. */
  declare readonly reason: string;

  /**
   * Creates the error.
   *
   * @param code The code that it was closed with, or is to be.
   * @param reason The reason to go with it: at most 123 bytes of UTF-8.
   * @param options The error's own `cause`.
   */
  constructor(code: number, reason?: string, options?: ErrorOptions) {
    super(`The WebSocket was closed with code ${code}${reason ? `: ${reason}` : ""}`, options);
    Object.assign(this, { name: "WebSocketCloseError", code, reason: reason ?? "" });
  }
}
