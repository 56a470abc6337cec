/**
 * A signal that knows who listens to it.
 *
 * @module
 */

/** An `AbortController` whose signal counts its listeners. */
export class CountingController extends AbortController {
  #listeners = new Set<unknown>();
  /** How many were ever added. */
  added = 0;

  constructor() {
    super();
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    Object.defineProperties(signal, {
      addEventListener: {
        value: (...args: Parameters<typeof add>) => {
          this.added++;
          this.#listeners.add(args[1]);
          add(...args);
        },
      },
      removeEventListener: {
        value: (...args: Parameters<typeof remove>) => {
          this.#listeners.delete(args[1]);
          remove(...args);
        },
      },
    });
  }

  /** How many there are. */
  get listeners(): number {
    return this.#listeners.size;
  }
}
