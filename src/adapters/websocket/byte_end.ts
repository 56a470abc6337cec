// The end of a WebSocket whose messages are nothing but the way that bytes travel; for the WebSocket adapter alone.

import { bytesOf } from "../../check/bytes.ts";
import type { ReusablePromise } from "../../core/reusable_promise.ts";
import type { Bytes } from "../events/event_end.ts";
import { WebSocketEnd } from "./end.ts";

/** Bytes from which on no further message is added to a chunk. */
const MAX_READ_BYTES = 1024 * 1024;

const encoder = new TextEncoder();

/** An end of bytes. */
export class ByteEnd extends WebSocketEnd<Bytes> {
  /** Of the messages that are sent. */
  protected override maxMessage = 64 * 1024;

  protected override chunkOf(data: unknown): Bytes | undefined {
    return typeof data === "string" ? encoder.encode(data) : bytesOf(data);
  }

  /**
   * Where the peer cannot be paused, all messages that wait unread become one chunk: with many small chunks, TCP of
   * Deno's is slow.
   */
  override pull(): Bytes | null | ReusablePromise<Bytes | null> {
    const first = super.pull();
    if (this.socket.pause || this.unreadBytes === 0) return first;
    const chunks: Bytes[] = [];
    let size = 0;
    for (let chunk = first; chunk instanceof Uint8Array;) {
      chunks.push(chunk);
      size += chunk.length;
      chunk = this.unreadBytes > 0 && size < MAX_READ_BYTES ? super.pull() : null;
    }
    const whole = new Uint8Array(size);
    for (const chunk of chunks.reverse()) whole.set(chunk, size -= chunk.length);
    return whole;
  }

  protected override send(bytes: Bytes): number {
    const frame = bytes.length > this.maxMessage ? bytes.subarray(0, this.maxMessage) : bytes;
    return this.sendMessage(frame) ? frame.length : 0;
  }

  protected override closeCleanly(): void {
    this.socket.close(1000);
  }

  protected override cutOff(reason: unknown): void {
    // The error of a WebSocketStream has a `closeCode`.
    const { code, closeCode = code, reason: text } = Object(reason);
    if (closeCode >= 3000 && closeCode < 5000) this.socket.close(closeCode, text);
    else if (this.socket.terminate) this.socket.terminate();
    else this.socket.close(4000);
  }
}
