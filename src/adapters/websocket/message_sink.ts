// The sink of messages to a WebSocket; for `message_end.ts` alone.

import { bytesOf, payloadOf } from "../../check/bytes.ts";
import { show } from "../../check/show.ts";
import { type Bypass, type BypassUser, TAKEN } from "../../core/bypass.ts";
import type { Meter } from "../../core/meter.ts";
import type { Soon } from "../../core/reusable_promise.ts";
import { type Sink, type SinkWatcher, WRITTEN } from "../../core/sink.ts";
import type { Source } from "../../core/source.ts";
import type { Message } from "../../ends.ts";

/** Writes each chunk as a message, and counts the bytes that the message carries. */
export class MessageSink implements Sink<number>, BypassUser {
  readonly permitsReuse: boolean;
  readonly #end: Bypass<Message>;
  readonly #meter: Meter;
  #watcher?: SinkWatcher;
  #from?: object;
  #pending = false;
  /** Bytes that the message of the last write carries, a text as UTF-8. */
  #size = 0;

  constructor(end: Bypass<Message>, meter: Meter) {
    this.#end = end;
    this.#meter = meter;
    this.permitsReuse = end.consumesOnWrite;
  }

  /** The adapter's end whose messages it writes, if it has been attached to a pump. */
  get from(): object | undefined {
    return this.#from;
  }

  attach(watcher: SinkWatcher, { bypass }: Source): void {
    this.#watcher = watcher;
    this.#from = bypass;
  }

  onFailure(error: unknown): void {
    this.#watcher?.onSinkFailed(error);
  }

  get pending(): boolean {
    return this.#pending;
  }

  /** Bytes that the pending write, or a broken-off write, is known to have taken: they may reach the peer. */
  get takenUnsettled(): number {
    return this.#pending && this.#end[TAKEN]! > 0 ? this.#size : 0;
  }

  write(chunk: unknown, size = 0): Soon<number> {
    const message = typeof chunk === "string" ? chunk : bytesOf(chunk);
    if (message === undefined) {
      throw new TypeError(`Only a text, an ArrayBuffer or a view is a message: got ${show(chunk)}`);
    }
    this.#size = size || payloadOf(message);
    this.#pending = true;
    return this.#end.write(message);
  }

  accept(): typeof WRITTEN {
    this.#pending = false;
    this.#meter.add(this.#size, 1);
    return WRITTEN;
  }

  writeFailed(): void {
    if (this.takenUnsettled > 0) this.#meter.add(this.takenUnsettled, 0);
    this.#pending = false;
  }

  async end(): Promise<void> {
    await this.#end.closeWrite();
  }

  async abort(reason: unknown): Promise<void> {
    await this.#end.abort(reason);
  }

  release(): void {
    this.writeFailed();
    if (this.#end.user === this) this.#end.detach();
  }
}
