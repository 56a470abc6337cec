// The source of an adapter's end, past its streams; for the core alone.

import type { Bypass } from "./bypass.ts";
import type { Soon } from "./reusable_promise.ts";
import { EOF, type Followable, type Source } from "./source.ts";

/** An adapter's end, past its streams. */
export class BypassSource<C> implements Source<C | null, C> {
  readonly closed?: Followable;
  readonly willWait = true;
  readonly bypass: Bypass<C>;
  readonly reusesMemory: boolean;
  readonly isOfMessages: boolean;
  /** The chunk whose memory is the end's again once it has been written. */
  #last?: C;

  constructor(bypass: Bypass<C>, permitsReuse: boolean, isOfMessages: boolean) {
    this.bypass = bypass;
    this.closed = bypass.lost;
    this.reusesMemory = permitsReuse && bypass.spent !== undefined;
    this.isOfMessages = isOfMessages;
  }

  pull(): Soon<C | null> {
    if (this.#last !== undefined) {
      this.bypass.spent!(this.#last);
      this.#last = undefined;
    }
    return this.bypass.pull();
  }

  take(chunk: C | null): C | typeof EOF {
    if (chunk === null) return EOF;
    if (this.reusesMemory) this.#last = chunk;
    return chunk;
  }

  abandonChunk(): void {
    this.#last = undefined;
  }

  /** The end is ended as a whole, by whoever joins it. */
  cancel(): void {}

  release(): void {
    this.bypass.cancelPull();
  }
}
