// Public: the parts of Bun's sockets and sinks that the adapter uses.

/** What {@linkcode fromBunSocket} takes: the part of a Bun `Socket` that it uses. */
export interface BunSocket {
  /** Above 0 as long as the socket is open. */
  readonly readyState: number;
  /** Sends bytes. Returns how many it took, or -1 if the socket has been closed. */
  write(bytes: Uint8Array): number;
  /** Ends the writing. */
  shutdown(): void;
  /** Closes the socket. */
  close(): void;
  /** Closes the socket with a reset. */
  terminate(): void;
  /** Stops the delivery of `data`. */
  pause(): void;
  /** Starts the delivery of `data`. */
  resume(): void;
  /** The cipher of TLS, with a name once the handshake is done; `undefined` without TLS. */
  getCipher?(): { readonly name: string | null } | undefined;
}

/** The type of {@linkcode handlers}: the part of Bun's `SocketHandler` that an end needs. */
export interface BunHandlers {
  /** The type of the bytes that `data` is called with. */
  readonly binaryType: "uint8array";
  /** Bytes have come. */
  data(socket: BunSocket, bytes: Uint8Array): void;
  /** There is room for more bytes to send. */
  drain(socket: BunSocket): void;
  /** The peer has ended its writing. */
  end(socket: BunSocket): void;
  /** The socket is closed. */
  close(socket: BunSocket, error?: Error): void;
}

/** What {@linkcode fromBunSink} takes: the part of Bun's `FileSink` that it uses. */
export interface BunSink {
  /**
   * Copies the bytes. Returns how many it took, or a promise if they wait for room, or `true` once the receiver is
   * gone (Bun 1.4).
   */
  write(chunk: Uint8Array<ArrayBuffer>): unknown;
  /** Hands everything over, and closes the sink. */
  end(): unknown;
}
