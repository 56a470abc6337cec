// A promise that can be used again and calls back at once; for adapters and for the pump.

/** Who waits for a {@linkcode ReusablePromise}. */
export interface Receiver {
  /** @param epoch As given to {@linkcode ReusablePromise.follow}: the receiver may have moved on since. */
  onResult(result: unknown, epoch: number): void;
  onError(error: unknown, epoch: number): void;
}

/** A result, or a promise of it: anybody's `PromiseLike`, or a {@linkcode ReusablePromise}. */
export type Soon<T> = T | PromiseLike<T> | ReusablePromise<T>;

/**
 * What a read, a write or `closeWrite` of an adapter's end returns if it has to wait. A pump follows it, at the cost
 * of no promise and no microtask. Others may await it, but only once, and before its next {@linkcode begin}.
 */
export class ReusablePromise<T> {
  /** `undefined`: not pending. `null`: pending, and not yet followed. */
  #receiver?: Receiver | null;
  #epoch = 0;
  /** Gives the result to a follower that comes after it. */
  #settled?: (receiver: Receiver, epoch: number) => void;

  /** Makes it pending, and returns itself. Whoever got its last result must have followed that. */
  begin(): this {
    this.#receiver = null;
    return this;
  }

  /** Makes it no longer pending: the follower, if any, is not called back. */
  giveUp(): void {
    this.#receiver = undefined;
  }

  /** Calls `receiver` back one time, with `epoch`, in place of any earlier follower; now, if it is settled already. */
  follow(receiver: Receiver, epoch: number): void {
    const settled = this.#settled;
    this.#settled = undefined;
    if (settled) return settled(receiver, epoch);
    this.#receiver = receiver;
    this.#epoch = epoch;
  }

  /** For `await`: follows it by two callbacks. Returns no promise, so that it cannot be chained. */
  then(fulfilled: (value: T) => void, rejected: (error: unknown) => void): void {
    this.follow({ onResult: fulfilled as Receiver["onResult"], onError: rejected }, 0);
  }

  /** Fulfils it if it is pending. Returns whether it was. */
  fulfil(value: T): boolean {
    return this.#settle("onResult", value);
  }

  /** Rejects it if it is pending. Returns whether it was. */
  reject(error: unknown): boolean {
    return this.#settle("onError", error);
  }

  #settle(how: keyof Receiver, result: unknown): boolean {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver === null) this.#settled = (late, epoch) => late[how](result, epoch);
    else receiver?.[how](result, this.#epoch);
    return receiver !== undefined;
  }
}
