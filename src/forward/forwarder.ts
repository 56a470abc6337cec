// Public: what `forward()` resolves to.

/** What a forwarder has done so far. */
export interface ForwardStats {
  /** Connections that are open now. */
  open: number;
  /** Connections that were accepted, open ones included. */
  accepted: number;
  /** Bytes from clients to the target. */
  aToB: number;
  /** Bytes from the target to clients. */
  bToA: number;
}

/** A forwarder that listens, what {@linkcode forward} resolves to. */
export interface Forwarder extends AsyncDisposable {
  /** The address it listens on; instead of port 0 the port that the system has chosen. */
  readonly address: string;
  /** The address it forwards to. */
  readonly target: string;
  /** Fulfils once the forwarder has stopped listening and every connection has ended. */
  readonly finished: Promise<void>;
  /** Returns the counts up to now. */
  stats(): ForwardStats;
  /**
   * Stops listening at once, lets open connections finish, and cuts connections that are still open after
   * `grace` milliseconds. A further call can only bring the end forward.
   *
   * @param grace Milliseconds from 0, or `Infinity`; by default the option `grace`.
   * @returns `finished`.
   */
  shutdown(grace?: number): Promise<void>;
}
