// Public: `Forwarder`, what `forward()` fulfils with.

/** What a forwarder has done so far. */
export interface ForwardStats {
  /** Connections that are open now. */
  open: number;
  /** Connections that were accepted so far, those still open included. */
  accepted: number;
  /** Bytes that the target has taken from clients so far. */
  aToB: number;
  /** Bytes that clients have taken from the target so far. */
  bToA: number;
}

/** A forwarder that listens. {@linkcode forward} fulfils with it. */
export interface Forwarder extends AsyncDisposable {
  /** The address that it listens on, with the port that the system has chosen in place of port 0. */
  readonly address: string;
  /** The address that it forwards to. */
  readonly target: string;
  /** Fulfils once the forwarder has stopped listening and every connection has ended. */
  readonly finished: Promise<void>;
  /**
   * Counts what the forwarder has done.
   *
   * @returns The counts up to now; with several workers they may be 200 ms old.
   */
  stats(): ForwardStats;
  /**
   * Stops listening at once, lets open connections finish, and cuts connections that are still open after
   * `grace` milliseconds. A further call can only bring the cut forward.
   *
   * @param grace How long open connections may go on, in ms, from 0 to `Infinity`; by default the option
   * `grace`.
   * @returns A promise that fulfils as `finished` does.
   * @throws {TypeError} If `grace` is no number.
   * @throws {RangeError} If `grace` is out of its range.
   */
  shutdown(grace?: number): Promise<void>;
}
