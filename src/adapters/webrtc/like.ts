// Public: the part of a data channel that the adapter uses.

/** What {@linkcode fromDataChannel} takes: the part of an `RTCDataChannel` that it uses. */
export interface DataChannelLike {
  /** `connecting`, `open`, `closing` or `closed`. */
  readonly readyState: string;
  /** The type of binary messages that come; set to `"arraybuffer"` here. */
  binaryType?: string;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  /** `bufferedamountlow` comes when no more than this many bytes wait to be sent; set here. */
  bufferedAmountLowThreshold: number;
  /** Whether messages come in their order; they must. */
  readonly ordered?: boolean;
  /** How often a lost message is sent again; must be unlimited (`null`). */
  readonly maxRetransmits?: number | null;
  /** For how many milliseconds a lost message is sent again; must be unlimited (`null`). */
  readonly maxPacketLifeTime?: number | null;
  /** Bytes of the largest message, where a platform tells. */
  readonly maxMessageSize?: number;
  /** Sends a message, text or bytes. */
  send(message: never): void;
  /** Closes the channel, and drops what has not been sent. */
  close(): void;
  /** Adds a listener, which is called with an event. */
  addEventListener(type: string, listener: () => void): void;
  /** Removes a listener. */
  removeEventListener(type: string, listener: () => void): void;
}
