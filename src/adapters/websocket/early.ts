// The events of a Bun server's WebSocket before anybody asks for its end; for `mod.ts` alone.

import type { WebSocketEventLike, WebSocketLike } from "./like.ts";

/** Bytes that may come before anybody asks for the end; with more, the peer is paused. */
const MAX_EARLY_BYTES = 256 * 1024;

/** Keeps events until it is known whether the end is of bytes or of messages. */
export class EarlyEvents {
  readonly #socket: WebSocketLike;
  readonly #events: WebSocketEventLike[] = [];
  #unreadBytes = 0;

  constructor(socket: WebSocketLike) {
    this.#socket = socket;
    // The type that the end asks for.
    socket.binaryType = "uint8array";
  }

  /** Bytes of the messages that have come, and 1 for each: an empty message is something to read, too. */
  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  handleEvent(event: WebSocketEventLike): void {
    this.#events.push(event);
  }

  onMessage(data: string | Uint8Array): void {
    this.handleEvent({ type: "message", data });
    this.#unreadBytes += data.length + 1;
    if (this.#unreadBytes > MAX_EARLY_BYTES) this.#socket.pause?.();
  }

  /** Passes all events on to the end, in their order. */
  passTo(end: { handleEvent(event: WebSocketEventLike): void }): void {
    if (this.#unreadBytes > MAX_EARLY_BYTES) this.#socket.resume?.();
    for (const event of this.#events) end.handleEvent(event);
  }
}
