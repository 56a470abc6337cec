// What happens to a server's WebSocket before it is made an end; for `websocket.ts` alone.

import type { WebSocketEventLike, WebSocketLike } from "./like.ts";

/** Bytes that may come before anybody asks for the end; its peer is stopped then. */
const MOST_EARLY = 256 * 1024;

/** What a Bun server's WebSocket tells before it is known what its end is of. */
export class EarlyEvents {
  readonly #socket: WebSocketLike;
  readonly #events: WebSocketEventLike[] = [];
  /** Bytes of messages. */
  unread = 0;

  constructor(socket: WebSocketLike) {
    this.#socket = socket;
    // As an end has it.
    socket.binaryType = "uint8array";
  }

  handleEvent(event: WebSocketEventLike): void {
    this.#events.push(event);
  }

  onMessage(data: unknown): void {
    this.handleEvent({ type: "message", data });
    // An empty one may be worth something.
    this.unread += (data as string | Uint8Array).length + 1;
    if (this.unread > MOST_EARLY) this.#socket.pause?.();
  }

  /** Tells it all to the end. */
  pass(end: { handleEvent(event: WebSocketEventLike): void }): void {
    if (this.unread > MOST_EARLY) this.#socket.resume?.();
    for (const event of this.#events) end.handleEvent(event);
  }
}
