/**
 * Watches the timers that are set: how many are left, and how long they are.
 *
 * @module
 */

const { setTimeout, clearTimeout } = globalThis;

type Timer = ReturnType<typeof setTimeout>;

/** The timers that were set since {@linkcode watchTimers}. */
export interface WatchedTimers {
  /** Those that have neither gone off nor been cleared. */
  readonly pending: ReadonlySet<unknown>;
  /** How long each of them was to take, in milliseconds. */
  readonly delays: readonly number[];
  /** Puts the platform's own functions back. */
  restore(): void;
}

/** Replaces the global `setTimeout` and `clearTimeout`. */
export function watchTimers(): WatchedTimers {
  const pending = new Set<unknown>();
  const delays: number[] = [];
  Object.assign(globalThis, {
    setTimeout(callback: () => void, ms = 0): Timer {
      delays.push(ms);
      const timer = setTimeout(() => {
        pending.delete(timer);
        callback();
      }, ms);
      pending.add(timer);
      return timer;
    },
    clearTimeout(timer: Timer) {
      pending.delete(timer);
      clearTimeout(timer);
    },
  });
  return {
    pending,
    delays,
    restore: () => void Object.assign(globalThis, { setTimeout, clearTimeout }),
  };
}
