// Public: the type of a data channel.

/** What {@linkcode fromDataChannel} takes: the part of an `RTCDataChannel` that it uses. */
export interface DataChannelLike {
  /** `connecting`, `open`, `closing` or `closed`. */
  readonly readyState: string;
  /** As what binary messages come; set to `"arraybuffer"` here. */
  binaryType?: string;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  /** At how many of them `bufferedamountlow` comes; set here. */
  bufferedAmountLowThreshold: number;
  /** Whether messages come in their order; they must. */
  readonly ordered?: boolean;
  /** How often a message is sent again; it must be as often as it takes. */
  readonly maxRetransmits?: number | null;
  /** For how long it is; the same. */
  readonly maxPacketLifeTime?: number | null;
  /** Bytes of the largest message, where a platform tells. */
  readonly maxMessageSize?: number;
  /** Sends a message, text or bytes. */
  send(message: never): void;
  /** Closes it, and drops what has not been sent. */
  close(): void;
  /** Adds a listener, which is told of an event by its one argument. */
  addEventListener(type: string, listener: () => void): void;
  /** Removes a listener. */
  removeEventListener(type: string, listener: () => void): void;
}
