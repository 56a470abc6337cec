// A promise that can be used again and calls back at once; for adapters and for the pump.

/** Who waits for a {@linkcode ReusablePromise}. */
export interface Receiver {
  /** @param epoch As given to {@linkcode ReusablePromise.follow}: the receiver may have moved on since. */
  onResult(result: unknown, epoch: number): void;
  onError(error: unknown, epoch: number): void;
}

/** A result, or a promise of it, of either kind. */
export type Soon<T> = T | PromiseLike<T> | ReusablePromise<T>;

/**
 * What a waiting read or write of an adapter's end returns. A pump follows it, at the cost of no promise and
 * no microtask for a message; anybody else may await it like any other thenable.
 */
export class ReusablePromise<T> {
  /** `undefined`: nobody waits. `null`: it has been handed out, and is yet to be followed. */
  #receiver?: Receiver | null;
  #epoch = 0;
  /** Settled before it was followed. */
  #settled?: (receiver: Receiver, epoch: number) => void;

  /** Makes it pending. Returns itself, to be handed out. */
  begin(): this {
    this.#receiver = null;
    return this;
  }

  /** Whoever waits is not called back. */
  giveUp(): void {
    this.#receiver = undefined;
  }

  /** Calls back once, with `epoch`; at once if it has been settled since it was handed out. */
  follow(receiver: Receiver, epoch: number): void {
    const settled = this.#settled;
    this.#settled = undefined;
    if (settled) return settled(receiver, epoch);
    this.#receiver = receiver;
    this.#epoch = epoch;
  }

  /** Follows it as `await` does. */
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
