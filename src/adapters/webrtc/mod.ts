/**
 * Ends of `RTCDataChannel`s: of browsers, and of packages that have them on Node, as `werift` does.
 *
 * A data channel has no half-close, cannot stop its peer, and drops what is unsent when it is closed. Two
 * ends of this module make up for it: a few text messages between their binary ones say how much more may
 * be sent, tell the end of file, and acknowledge it. So both sides of a channel must be framed, or neither.
 *
 * @example In a page: what comes over a data channel goes to a WebSocket
 * ```ts ignore
 * import { join } from "@webstreams/join";
 * import { fromDataChannel } from "@webstreams/join/webrtc";
 * import { fromWebSocket } from "@webstreams/join/websocket";
 *
 * connection.addEventListener("datachannel", async ({ channel }) => {
 *   const peer = fromDataChannel(channel); // At once: what comes meanwhile is kept.
 *   await join(peer, fromWebSocket(new WebSocket("wss://example.com/feed")));
 * });
 * ```
 *
 * @module
 */
import type { Pair } from "../../ends.ts";
import { assertSize, refuse } from "../../check/refuse.ts";
import { DataChannelEnd } from "./end.ts";
import type { DataChannelLike } from "./channel.ts";

export type { DataChannelLike } from "./channel.ts";

/** Options of {@linkcode fromDataChannel}. */
export interface DataChannelOptions {
  /**
   * Whether the peer is a {@linkcode fromDataChannel} as well, and framed.
   *
   * Where it is not, the bytes alone are sent, and a closed channel is the end of file of both directions.
   * Then nothing tells a failure from the end, or stops a peer that sends too much, and the last bytes may be
   * lost when the channel is closed on top of them.
   *
   * @default {true}
   */
  framed?: boolean;
  /**
   * Bytes that may wait unread. A framed peer sends no more; when more come from another, the channel is
   * closed, and reading fails.
   *
   * @default {1_048_576} if framed, else 16 MiB
   */
  maxBuffered?: number;
  /**
   * Bytes that are sent in one message at most, and no more than the channel's `maxMessageSize` where a
   * platform has one. Every browser takes the default; `sctp.maxMessageSize` of the `RTCPeerConnection` says
   * how much the peer takes.
   *
   * @default {16_384}
   */
  maxFrame?: number;
}

const ACTION = "make an end of a data channel";
const MIB = 1024 * 1024;

/**
 * Makes an end of an `RTCDataChannel`.
 *
 * It may still be connecting: if it is closed then, a read or a write fails. What comes before anyone reads is
 * kept, so this is to be called in the same turn as the channel was created or announced (`datachannel`).
 *
 * The end of file is a message, and has been written once the peer's end acknowledges it. Once both sides
 * have ended, and know it of each other, the channel is closed; when a {@linkcode join} has settled, its
 * `RTCPeerConnection` can be closed, too. A channel that is closed before is a failure: so a failed join shows.
 * A peer that is gone without a word is noticed by nobody: see `idleTimeout` of `join`, and
 * `connectionState` of the `RTCPeerConnection`.
 *
 * @param channel The channel, ordered and reliable; the end has it from here on.
 * @param options Who the peer is, how much may wait, and be sent at once.
 * @returns A pair of streams; without `framed` it cannot half-close.
 * @throws {TypeError} If it is no `RTCDataChannel`, is closing or closed, or may lose or reorder messages.
 * @throws {RangeError} If an option is no number of bytes: a positive safe integer.
 *
 * @example
 * ```ts ignore
 * import { fromDataChannel } from "@webstreams/join/webrtc";
 *
 * const { readable, writable } = fromDataChannel(connection.createDataChannel("files"));
 * ```
 */
export function fromDataChannel(
  channel: DataChannelLike,
  {
    framed = true,
    maxBuffered = framed ? MIB : 16 * MIB,
    maxFrame = 16 * 1024,
  }: DataChannelOptions = {},
): Pair {
  const given = Object(channel) as Given;
  const { readyState, ordered, maxRetransmits, maxPacketLifeTime } = given;
  if (!given.send || given.bufferedAmountLowThreshold === undefined) {
    refuse(ACTION, "channel", "must be an RTCDataChannel", channel);
  }
  if (readyState !== "open" && readyState !== "connecting") {
    refuse(ACTION, "channel", "must be open or connecting", readyState);
  }
  if (ordered === false || typeof (maxRetransmits ?? maxPacketLifeTime) === "number") {
    refuse(ACTION, "channel", "must be ordered, and lose nothing", channel);
  }
  assertSize(ACTION, "maxBuffered", maxBuffered, 1);
  assertSize(ACTION, "maxFrame", maxFrame, 1);
  const most = given.maxMessageSize || given.sctp?.remoteMaxMessageSize || Infinity;
  return new DataChannelEnd(channel, { framed, maxBuffered, maxFrame: Math.min(maxFrame, most) });
}

/** What a value may have of a channel; `sctp` is werift's. */
type Given = Partial<DataChannelLike> & { sctp?: { remoteMaxMessageSize?: number } };
