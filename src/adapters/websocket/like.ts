// Public: the part of a WebSocket of any kind that the adapter uses, and the error of its close.

/** What {@linkcode fromWebSocket} takes: the part of a WebSocket that it uses. */
export interface WebSocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** The type of binary messages that come; set to `"arraybuffer"` here. */
  binaryType?: string;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount?: number;
  /** Of a Bun server's WebSocket: returns the bytes that wait to be sent. */
  getBufferedAmount?(): number;
  /**
   * Sends a message, bytes or a text. Bun's server returns 0 if it dropped the message, and -1 if the message has to
   * wait.
   */
  send(message: Uint8Array<ArrayBuffer>): unknown;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Adds a listener; a Bun server's WebSocket has handlers instead. */
  addEventListener?(type: string, listener: WebSocketListener): void;
  /** Removes a listener. */
  removeEventListener?(type: string, listener: WebSocketListener): void;
  /** Cuts the connection off: on Bun, and of `ws`. */
  terminate?(): void;
  /** Stops the delivery of messages: on Bun, and of `ws`. */
  pause?(): unknown;
  /** Starts the delivery of messages after a `pause()`. */
  resume?(): unknown;
  /** Accepts the WebSocket: of a Worker's own. */
  accept?(): void;
  /** Asks the peer for a pong: on Bun, and of `ws`. */
  ping?(): unknown;
}

/** What listens for the events of a {@linkcode WebSocketLike}. */
export interface WebSocketListener {
  /** Called with an event. */
  handleEvent(event: never): void;
}

/** The members of the events of all WebSockets; each event has some. */
export interface WebSocketEventLike {
  readonly type: string;
  readonly data?: unknown;
  readonly error?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
}

/**
 * A WebSocket was closed with a code other than 1000, 1001 or none; or, with the code 1006, was cut off or could not
 * be opened.
 *
 * As the reason of an abort, the error says what the peer is told: a `code` of 3000 to 4999, and the `reason`. So a
 * join of two WebSockets passes both on, as it tears one WebSocket down with the error of the other.
 */
export class WebSocketCloseError extends Error {
  /** The code that the WebSocket was closed with. */
  readonly code: number;
  /** The reason that came with the code; often empty. */
  readonly reason: string;

  /**
   * Creates the error.
   *
   * @param code The code that the WebSocket was closed with, or is to be closed with.
   * @param reason The reason that goes with the code: at most 123 bytes of UTF-8.
   * @param options The `cause` of the error.
   */
  constructor(code: number, reason?: string, options?: ErrorOptions) {
    super(`The WebSocket was closed with code ${code}${reason ? `: ${reason}` : ""}`, options);
    this.name = "WebSocketCloseError";
    this.code = code;
    this.reason = reason ?? "";
  }
}
