// Tells whether a stream had failed before it was locked, as `pipeTo` must know; for `pipe.ts` alone.

import type { Source } from "./source.ts";

const { pipeTo } = globalThis.ReadableStream?.prototype ?? {};
const ignore = () => {};

/**
 * Whether a stream is errored already, told in this very turn. Of its own accord a stream tells a
 * microtask later, too late for a sink whose close would have begun by then: the standard aborts that.
 *
 * The platform's own `pipeTo` goes by the stream's state at once. Into a sink that is to be closed it
 * moves nothing: from an errored stream it aborts the sink, which shows, and any other it unlocks again
 * (ReadableStreamPipeTo, errors and closing propagated, "finalize"). Two locks that are let go cost 25 µs
 * on Deno 2.9, 4 on Node 26 and 3 on Bun 1.4.
 */
class Probe {
  #controller!: WritableStreamDefaultController;
  #start!: () => void;
  readonly #sink = new WritableStream({
    start: (controller) => {
      this.#controller = controller;
      // Until then the close is queued, however many ask.
      return new Promise<void>((resolve) => this.#start = resolve);
    },
    // With room Node 24 and 26 would read a chunk for it, and lose it.
  }, { highWaterMark: 0 });

  constructor() {
    const writer = this.#sink.getWriter();
    for (const told of [writer.close(), writer.closed, writer.ready]) told.catch(ignore);
    writer.releaseLock();
  }

  /** An errored stream uses the probe up. */
  ask(stream: ReadableStream<unknown>): ErroredSource | undefined {
    const done = pipeTo!.call(stream, this.#sink, { preventCancel: true, preventClose: true });
    if (!stream.locked) return void done.catch(ignore);
    this.#start();
    return new ErroredSource(stream, done, this.#controller.signal.reason);
  }
}

/** A stream that is errored. */
export class ErroredSource implements Source<never, never> {
  /** Rejects with its error. */
  readonly closed: Promise<never>;
  readonly reusesMemory = false;
  /** Why, if that can be told yet. */
  readonly failed?: { readonly error: unknown };
  #reader?: ReadableStreamDefaultReader<unknown>;

  /** @param probed Rejects with the stream's error as soon as the probe has unlocked it. */
  constructor(stream: ReadableStream<unknown>, probed: Promise<void>, error: unknown) {
    this.closed = probed.then(undefined, (error) => {
      this.#reader = stream.getReader();
      throw error;
    }) as Promise<never>;
    this.closed.catch(ignore);
    // An `AbortSignal` makes one of those of `undefined`.
    if ((error as Error | undefined)?.name !== "AbortError") this.failed = { error };
  }

  pull(): Promise<never> {
    return this.closed;
  }

  take(result: never): never {
    return result;
  }

  abandonChunk(): void {}

  cancel(): void {}

  release(): void {
    this.#reader?.releaseLock();
  }
}

/** `false` where `pipeTo` does not tell, `undefined` before that is known. */
let probe: Probe | undefined | false;

/** The source of a stream that is errored already; `undefined` if it is not, or does not tell yet. */
export function erroredBefore(stream: ReadableStream<unknown>): ErroredSource | undefined {
  if (probe === undefined) probe = works() && new Probe();
  if (!probe) return;
  const errored = probe.ask(stream);
  if (errored) probe = new Probe();
  return errored;
}

/** Not in workerd, whose `pipeTo` keeps few of the rules. Nothing may be read. */
function works(): boolean {
  try {
    const error = new Error("A probe");
    let input: ReadableStreamDefaultController<string>;
    const readable = new ReadableStream<string>({
      start: (controller) => (input = controller).enqueue("unread"),
    });
    const probe = new Probe();
    if (probe.ask(readable) || input!.desiredSize !== 0) return false;
    input!.error(error);
    return probe.ask(readable)?.failed?.error === error;
  } catch {
    return false;
  }
}
