// The sink of an adapter's end of bytes, past its streams; for `join` alone.

import type { Bypass, BypassUser } from "./bypass.ts";
import type { Meter } from "./meter.ts";
import type { SinkWatcher } from "./sink.ts";
import { WriterSink } from "./writer_sink.ts";

/** The sink of an adapter's end that carries bytes, past its streams. */
export class BypassSink extends WriterSink implements BypassUser {
  override readonly permitsReuse: boolean;
  readonly #bypass: Bypass<unknown>;
  #watcher?: SinkWatcher;

  constructor(bypass: Bypass<unknown>, meter: Meter) {
    super(bypass, meter);
    this.#bypass = bypass;
    this.permitsReuse = bypass.consumesOnWrite;
    bypass.attach(this);
  }

  attach(watcher: SinkWatcher): void {
    this.#watcher = watcher;
  }

  onFailure(error: unknown): void {
    this.#watcher?.onSinkFailed(error);
  }

  override release(): void {
    super.release();
    this.#bypass.detach();
  }
}
