// Delays a callback by some microtasks; for `event_end.ts` alone.

/** Microtasks in which a stream settles what its underlying source or sink has just settled, with some to spare. */
const MICROTASKS = 5;

/** Calls back once a stream has passed on what it is told in this turn, and before any other event. */
export async function afterMicrotasks(call: () => void): Promise<void> {
  for (let microtask = 0; microtask < MICROTASKS; microtask++) await undefined;
  call();
}
