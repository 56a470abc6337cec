// Accepts connections from a listener; for `thread_forwarder.ts` alone.

import { concernsOneConnection, type Listener } from "./listen.ts";

/**
 * How long accepting pauses after a failure, in ms. As in Go's net/http each pause is twice as long as the
 * pause before, from the minimum to the maximum.
 */
const MIN_BACK_OFF = 5;
const MAX_BACK_OFF = 1000;

/** Decides for an accept loop, and is called with what happens in it. */
export interface AcceptLoopOwner {
  /** Whether a further connection may be accepted now. */
  hasRoom(): boolean;
  /** Called with each connection, to take it over. The loop goes on once the promise fulfils. */
  onConnection(conn: Deno.Conn): Promise<void>;
  /** Called when accepting fails for a reason that outlasts the connection; the loop tries again later. */
  onFailure(error: unknown): void;
}

/** Accepts one connection after the other while there is room, from its creation until it is stopped. */
export class AcceptLoop {
  /** Fulfils after the stop. Until then the platform has not let go of the address. */
  readonly ended: Promise<void>;
  readonly #listener: Listener;
  readonly #owner: AcceptLoopOwner;
  #isStopped = false;
  /** Ends the pause, if the loop is in one. */
  #resume: (() => void) | undefined;

  constructor(listener: Listener, owner: AcceptLoopOwner) {
    this.#listener = listener;
    this.#owner = owner;
    this.ended = this.#run();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Closes the listener; a second call does nothing. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#listener.close();
    this.#resume?.();
  }

  /** Called when a connection has ended: there may be room again, or a file descriptor. */
  onConnectionEnd(): void {
    this.#resume?.();
  }

  async #run(): Promise<void> {
    let backOff = MIN_BACK_OFF;
    while (!this.#isStopped) {
      if (!this.#owner.hasRoom()) {
        await this.#pause();
        continue;
      }
      try {
        const conn: Deno.Conn = await this.#listener.accept();
        backOff = MIN_BACK_OFF;
        await this.#owner.onConnection(conn);
      } catch (error) {
        if (this.#isStopped) return;
        if (concernsOneConnection(error)) continue;
        this.#owner.onFailure(error);
        await this.#pause(backOff);
        backOff = Math.min(backOff * 2, MAX_BACK_OFF);
      }
    }
  }

  /** Waits for the end of a connection, for the stop, or for `timeout` milliseconds. */
  #pause(timeout?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeout === undefined ? undefined : setTimeout(() => this.#resume?.(), timeout);
      this.#resume = () => {
        this.#resume = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
