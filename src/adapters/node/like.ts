// Public: the parts of Node's streams that the adapter uses.

/** What {@linkcode fromNodeSocket} takes: the part of a `stream.Duplex` that it uses. */
export interface NodeDuplex {
  /** Whether it stays open for writing when the peer has ended; set to `true` here. */
  allowHalfOpen: boolean;
  /** Whether it has been destroyed. */
  readonly destroyed: boolean;
  /** The error that has destroyed it, if there was one. */
  readonly errored?: Error | null;
  /** Whether `end` has been emitted. */
  readonly readableEnded: boolean;
  /** Whether it yields something other than bytes. */
  readonly readableObjectMode: boolean;
  /** The encoding that makes it yield strings; `null` if it yields bytes. */
  readonly readableEncoding: string | null;
  /** Whether `end()` has been called. */
  readonly writableEnded: boolean;
  /** Whether `finish` has been emitted. */
  readonly writableFinished: boolean;
  /** Of a `net.Socket`: whether its connection is under way. */
  readonly connecting?: boolean;
  /** Of a `tls.TLSSocket`: whether a handshake is under way; `true` for good if nothing reports its end. */
  readonly secureConnecting?: boolean;
  /** Of a `tls.TLSSocket`: gives the last message of the peer's handshake, once it has come. */
  getPeerFinished?(): unknown;
  /** Of a stream of HTTP/2: the code that it was closed with. */
  readonly rstCode?: number;
  /** Of a stream of HTTP/2: whether it was reset before its end. */
  readonly aborted?: boolean;
  /** Adds a listener. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Gives the listeners of an event. */
  listeners?(event: string): readonly { readonly name: string }[];
  /** Removes a listener. */
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Stops the delivery of `data`. */
  pause(): unknown;
  /** Starts the delivery of `data`. */
  resume(): unknown;
  /** Of a `net.Socket`: turns Nagle's algorithm off, or on. */
  setNoDelay?(noDelay?: boolean): unknown;
  /** Bytes that wait to be sent. */
  readonly writableLength: number;
  /** How many bytes may wait to be sent before `write()` asks to wait for a `drain`. */
  readonly writableHighWaterMark: number;
  /** Of a `net.Socket` on Node: its handle of the system. */
  readonly _handle?: {
    /** Asks for the peer's address. Returns 0, or the code of the failure. */
    getpeername?(address: object): number;
    /** Its file descriptor; -1 once it is closed, none on Windows. */
    readonly fd?: number;
  } | null;
  /** Hands bytes to the system; replaced on a `net.Socket`. */
  _write?(chunk: unknown, encoding: string, callback: (error?: Error | null) => void): void;
  /** Queues bytes. Calls back once they have been sent or have failed; an `error` is emitted as well then. */
  write(chunk: Uint8Array, callback?: (error?: Error | null) => void): unknown;
  /** Ends the writing once all that was written has been sent. */
  end(callback?: (error?: Error | null) => void): unknown;
  /** Closes the stream. */
  destroy(error?: Error): unknown;
  /** Of a `net.Socket`: closes it with a reset. */
  resetAndDestroy?(): unknown;
}

/** What {@linkcode connectNodeSocket} adds to the options of a connection. */
export interface NodeReadOptions {
  /** Whether the socket stays open for writing when the peer has ended; always `true`. */
  allowHalfOpen: boolean;
  /** The memory that the socket reads into, and what it calls after each read; set on Node alone. */
  onread?: {
    /** Returns the memory for the next read. */
    buffer(): Uint8Array;
    /** Takes the bytes read, the first `bytesRead` of `memory`. Returns whether to read on. */
    callback(bytesRead: number, memory: Uint8Array): boolean;
  };
}

/** What {@linkcode fromNodeReadable} takes: the part of a `stream.Readable` that it uses. */
export interface NodeReadable {
  /** Whether it has been destroyed. */
  readonly destroyed: boolean;
  /** Whether `end` has been emitted. */
  readonly readableEnded: boolean;
  /** Whether it yields something other than bytes. */
  readonly readableObjectMode: boolean;
  /** The encoding that makes it yield strings; `null` if it yields bytes. */
  readonly readableEncoding: string | null;
  /** The error that has destroyed it, if there was one. */
  readonly errored?: Error | null;
  /** Returns the next chunk, or `null` if none has come yet. */
  read(): Uint8Array<ArrayBuffer> | null;
  /** Adds a listener. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Removes a listener. */
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Closes the stream. */
  destroy(error?: Error): unknown;
}

/** What {@linkcode fromNodeWritable} takes: the part of a `stream.Writable` that it uses. */
export interface NodeWritable {
  /** Whether it has been destroyed. */
  readonly destroyed?: boolean;
  /** Whether `end()` has been called. */
  readonly writableEnded: boolean;
  /** Whether it takes something other than bytes. */
  readonly writableObjectMode?: boolean;
  /** The error that has destroyed it, if there was one. */
  readonly errored?: Error | null;
  /** Queues bytes. Calls back once they have been handled. */
  write(chunk: Uint8Array, callback: (error?: Error | null) => void): unknown;
  /** Ends the stream once all that was written has been handled. */
  end(): unknown;
  /** Adds a listener. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Removes a listener. */
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Closes the stream. */
  destroy(error?: Error): unknown;
}
