/** How an end's sending has ended, as its peer sees it. */
export interface Ended {
  /**
   * `open`: it has not. `eof`: cleanly. `reset`: by a failure, or cut. `closed`: the session around
   * the connection was closed.
   */
  readonly how: "open" | "eof" | "reset" | "closed";
  /** The code it came with: of a WebSocket's close, a stream's reset, a session's close. */
  readonly code?: number;
  /** The reason or the error it came with. */
  readonly reason?: string;
}

/** The far end of one connection on a platform, as raw as the platform has it. */
export interface Wire {
  /**
   * The next bytes, which are valid until the next call, or how it has ended. Never rejects. Nothing
   * is taken from the platform (but for what it insists on) while no read waits.
   */
  read(): Promise<Uint8Array | Ended>;
  /** Whether these bytes came as a text, of a WebSocket. */
  isText?(bytes: Uint8Array): boolean;
  /** Sends bytes; fulfils once the platform has taken them and has room for more. */
  write(bytes: Uint8Array<ArrayBuffer>, asText: boolean): Promise<void>;
  /** Ends the sending: FIN, or a clean close. */
  finish(): Promise<void>;
  /** Ends everything so that the other side sees a failure. */
  reset(code?: number): Promise<void>;
  /** Closes everything, with a code and a reason where there are such. */
  close(code?: number, reason?: string): Promise<void>;
  /** Lets go of it, whatever its state. */
  dispose(): void;
}
