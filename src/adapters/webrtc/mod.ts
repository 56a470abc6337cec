/**
 * Ends of `RTCDataChannel`s: those of browsers, and of packages that have them on Node, as `werift` does.
 *
 * A data channel cannot half-close, cannot pause its peer, and drops what is unsent when it is closed. Two ends of
 * this module add all that: a few text messages between the binary messages say how much more may be sent, tell the
 * end of file, and acknowledge it. So both sides of a channel must be framed, or neither.
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
import { assertSize, refuse } from "../../check/refuse.ts";
import type { Pair } from "../../ends.ts";
import { DataChannelEnd } from "./end.ts";
import type { DataChannelLike } from "./like.ts";

export type { DataChannelLike } from "./like.ts";

/** Options of {@linkcode fromDataChannel}. */
export interface DataChannelOptions {
  /**
   * Whether the peer is a {@linkcode fromDataChannel} as well, and framed.
   *
   * Without framing only the bytes are sent, and a closed channel is the end of file of both directions. Then
   * nothing tells a failure from an end, nothing pauses a peer that sends too fast, and the last bytes may be lost
   * if the channel is closed before they have been sent.
   *
   * @default {true}
   */
  framed?: boolean;
  /**
   * Bytes that may wait unread. A framed peer does not send more. If more bytes come from another peer, the channel
   * is closed, and reading fails.
   *
   * @default {1_048_576} if framed, else 16 MiB
   */
  maxBuffered?: number;
  /**
   * Bytes of the largest message that is sent; the channel's `maxMessageSize`, where a platform has it, is an upper
   * bound as well. Every browser takes messages of the default. `sctp.maxMessageSize` of the `RTCPeerConnection` says
   * what the peer takes.
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
 * The channel may still be connecting: if it is closed then, a read or a write fails. Bytes that come before anybody
 * reads are kept from this call on. So call it in the turn in which the channel was created or announced
 * (`datachannel`).
 *
 * The end of file is a message, and has been written once the peer's end acknowledges it. Once both sides have ended
 * and have acknowledged it, the channel is closed; when a {@linkcode join} has settled, the `RTCPeerConnection` can be
 * closed as well. A channel that is closed earlier is a failure: that is how a failed join shows. Nothing reports that
 * a peer is gone without a word: see `idleTimeout` of `join`, and `connectionState` of the `RTCPeerConnection`.
 *
 * @param channel The channel, ordered and reliable, which belongs to the end from here on.
 * @param options Whether the peer is framed, how much may wait unread, and how much is sent at once.
 * @returns A pair of streams, which can half-close if framed.
 * @throws {TypeError} If `channel` is no `RTCDataChannel`, is closing or closed, or may lose or reorder messages.
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
  const given: Given = Object(channel);
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
  const maxMessage = given.maxMessageSize || given.sctp?.remoteMaxMessageSize || Infinity;
  const settings = { framed, maxBuffered, maxFrame: Math.min(maxFrame, maxMessage) };
  return new DataChannelEnd(channel, settings);
}

/** The members of a channel that a value may have; `sctp` is werift's. */
type Given = Partial<DataChannelLike> & { sctp?: { remoteMaxMessageSize?: number } };
