// Tells those who wait by way of a stream first; for ends alone.

/** Calls back when who waits by way of a stream has been told what is told now: some microtasks later. */
export async function later(tell: () => void): Promise<void> {
  for (let microtask = 0; microtask < 5; microtask++) await undefined;
  tell();
}
