// Public: the options of ends of WebSockets. What checks them is for the WebSocket adapters.

import { assertKnown, assertSize, refuse } from "../../check/refuse.ts";
import { isObject } from "../../check/kinds.ts";
import { WebSocketEnd } from "./end.ts";
import { MessageEnd } from "./messages.ts";
import { assertPing, type Pinging, Pings } from "./pings.ts";

/** Options of an end of a WebSocket, of either kind. */
export interface WebSocketBaseOptions {
  /**
   * Bytes that may wait unread. When more come, the WebSocket is closed, and reading fails: most
   * platforms cannot stop a peer that sends faster than is read.
   *
   * Bun and the `ws` package can. There the peer is stopped once this much waits, or 256 KiB, and that which
   * it takes to get there may be one message of any size: what counts is what comes after it.
   *
   * Of messages a text counts two a UTF-16 unit, and each 64 more.
   *
   * @default {16_777_216}
   */
  maxBuffered?: number;
  /**
   * Milliseconds from one ping of the peer to the next. Nothing heard in between, no pong and no message, and
   * the WebSocket is cut off: a join's reason is `"idle"`. A ping waits behind what was sent before, in the
   * buffers of the system too, so that a slow reader may need some seconds.
   *
   * Of the `ws` package and Bun's server alone; `Deno.upgradeWebSocket` has an `idleTimeout` of its own, and no
   * page can ping.
   *
   * @default {undefined} No pings.
   */
  ping?: number;
}

/** Options of {@linkcode fromWebSocket} for an end of bytes. */
export interface WebSocketOptions extends WebSocketBaseOptions {
  /**
   * Bytes that are sent in one message at most.
   *
   * @default {65_536}
   */
  maxFrame?: number;
  /**
   * Whether each message is a chunk, and each chunk a message.
   *
   * @default {false}
   */
  messages?: false;
}

/** Options of {@linkcode fromWebSocket} for an end of messages. */
export interface WebSocketMessageOptions extends WebSocketBaseOptions {
  /** Each message is a chunk, and each chunk a message. */
  messages: true;
  /**
   * Bytes that a message which comes may have. Of a larger one reading fails, and its peer is told 1009. Its
   * platform has it by then: what that takes is its own affair (`maxPayload` of `ws`, 100 MiB;
   * `maxPayloadLength` of Bun's server, 16 MiB).
   *
   * @default {16_777_216}
   */
  maxMessage?: number;
}

/** The kinds of ends, and what makes one. */
export type Kind = typeof WebSocketEnd | typeof MessageEnd;

/**
 * Checks the options of an end.
 *
 * @returns Its kind, and what gives them to it.
 */
export function readOptions(
  action: string,
  socket: Pinging,
  options: WebSocketOptions | WebSocketMessageOptions = {},
): { Kind: Kind; set<E extends WebSocketEnd | MessageEnd>(end: E): E } {
  if (!isObject(options)) refuse(action, "options", "must be an object", options);
  const { messages = false, ping, ...sizes } = options;
  if (typeof messages !== "boolean") refuse(action, "messages", "must be a boolean", messages);
  const size = messages ? "maxMessage" : "maxFrame";
  assertKnown(action, options, ["messages", "maxBuffered", size, "ping"]);
  for (const [name, value] of Object.entries(sizes)) {
    if (value !== undefined) assertSize(action, name, value, 1);
  }
  assertPing(action, socket, ping);
  return {
    Kind: messages ? MessageEnd : WebSocketEnd,
    set(end) {
      for (const [name, value] of Object.entries(sizes)) {
        if (value !== undefined) Object.assign(end, { [name]: value });
      }
      end.pings?.stop();
      if (ping !== undefined) end.pings = new Pings(end, socket, ping);
      return end;
    },
  };
}
