// Public: what `forward()` resolves to.

/** What a forwarder has done so far. */
export interface ForwardStats {
  /** Connections that are open now. */
  open: number;
  /** Connections that were accepted, the open ones among them. */
  accepted: number;
  /** Bytes from clients to the target. */
  aToB: number;
  /** Bytes from the target to clients. */
  bToA: number;
}

/** A forwarder that listens, what {@linkcode forward} resolves to. */
export interface Forwarder extends AsyncDisposable {
  /** Where it listens, with the port that was chosen where 0 was asked for. */
  readonly address: string;
  /** Where it forwards to. */
  readonly target: string;
  /** Fulfils once it no longer listens and every connection has ended. */
  readonly finished: Promise<void>;
  /** Counts it up to now. */
  stats(): ForwardStats;
  /**
   * Stops listening at once, lets open connections finish, and cuts those that have not after
   * `grace` milliseconds. Called again, it can only bring the end forward.
   *
   * @param grace From 0, or `Infinity`; the option's value unless given.
   * @returns `finished`.
   */
  shutdown(grace?: number): Promise<void>;
}
