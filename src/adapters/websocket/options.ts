// Public: the options of ends of WebSockets. What checks them is for the WebSocket adapter alone.

import { isObject } from "../../check/kinds.ts";
import { assertKnown, assertSize, refuse } from "../../check/refuse.ts";
import { ByteEnd } from "./byte_end.ts";
import type { EndSettings } from "./end.ts";
import { MessageEnd } from "./message_end.ts";
import { assertPing, type Pinging } from "./pings.ts";

/** Options of an end of a WebSocket, of bytes or of messages. */
export interface WebSocketBaseOptions {
  /**
   * Bytes that may wait unread. If more come, the WebSocket is closed, and reading fails: most platforms cannot
   * pause a peer that sends faster than is read.
   *
   * Bun and the `ws` package can. There the peer is paused once this many bytes wait, or 256 KiB if that is less.
   * The message that reaches this bound may be of any size: only what comes after it counts.
   *
   * Of an end of messages, a text counts two bytes a UTF-16 unit, and each message 64 bytes more.
   *
   * @default {16_777_216}
   */
  maxBuffered?: number;
  /**
   * Milliseconds from one ping of the peer to the next. If nothing is heard in between, neither a pong nor a message,
   * the WebSocket is cut off: the `reason` of a failed join is `"idle"`. A ping waits behind what was sent before, in
   * the buffers of the system as well, so that a slow reader may need some seconds.
   *
   * For WebSockets of the `ws` package and of Bun's server alone: `Deno.upgradeWebSocket` has an `idleTimeout` of its
   * own, and no page can ping.
   *
   * @default {undefined} No pings.
   */
  ping?: number;
}

/** Options of {@linkcode fromWebSocket} for an end of bytes. */
export interface WebSocketOptions extends WebSocketBaseOptions {
  /**
   * Bytes of the largest message that is sent.
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
   * Bytes of the largest message that may come. If a larger message comes, reading fails, and the peer is told 1009.
   * The platform has received the whole message by then; options of the platform bound that (`maxPayload` of `ws`,
   * 100 MiB; `maxPayloadLength` of Bun's server, 16 MiB).
   *
   * @default {16_777_216}
   */
  maxMessage?: number;
}

/** The bound of messages, by the name that it has among the options of either kind of end. */
interface Sizes {
  maxFrame?: number;
  maxMessage?: number;
}

/** The class of an end. */
export type EndClass = typeof ByteEnd | typeof MessageEnd;

/** Checks the options of an end. Returns the class of the end, and what to configure the end with. */
export function readOptions(
  action: string,
  socket: Pinging,
  options: WebSocketOptions | WebSocketMessageOptions = {},
): { End: EndClass; settings: EndSettings } {
  if (!isObject(options)) refuse(action, "options", "must be an object", options);
  const { messages = false, maxBuffered, ping, ...sizes } = options;
  if (typeof messages !== "boolean") refuse(action, "messages", "must be a boolean", messages);
  const [End, size] = messages
    ? [MessageEnd, "maxMessage"] as const
    : [ByteEnd, "maxFrame"] as const;
  assertKnown(action, options, ["messages", "maxBuffered", size, "ping"]);
  const { [size]: maxMessage }: Sizes = sizes;
  if (maxBuffered !== undefined) assertSize(action, "maxBuffered", maxBuffered, 1);
  if (maxMessage !== undefined) assertSize(action, size, maxMessage, 1);
  assertPing(action, socket, ping);
  return { End, settings: { maxBuffered, maxMessage, ping } };
}
