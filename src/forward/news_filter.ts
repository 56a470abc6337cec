// Tells news from repetition; for `thread_forwarder.ts` alone.

/** How long a message must have stayed away before it is news again, in ms. */
const FORGOTTEN_AFTER = 10_000;

/** Holds repetitions of a message back: without file descriptors, accepting fails many times a second. */
export class NewsFilter {
  #message = "";
  #at = 0;

  /** Whether the message differs from the last message, or has not come for 10 seconds. */
  isNews(message: string): boolean {
    const now = performance.now();
    const isNews = message !== this.#message || now - this.#at > FORGOTTEN_AFTER;
    this.#message = message;
    this.#at = now;
    return isNews;
  }
}
