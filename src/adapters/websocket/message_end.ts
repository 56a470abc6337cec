// The end of a WebSocket whose chunks are messages; for the WebSocket adapter alone.

import { bytesOf, payloadOf } from "../../check/bytes.ts";
import type { Meter } from "../../core/meter.ts";
import type { Message, MessagePair } from "../../ends.ts";
import { reasonOf } from "../../reason.ts";
import { type Close, WebSocketEnd } from "./end.ts";
import type { WebSocketEventLike } from "./like.ts";
import { MessageSink } from "./message_sink.ts";

/** Bytes that a message counts besides its own while it waits unread, so that empty messages count as well. */
const MESSAGE_COST = 64;
/** How long the peer may take to answer a close after a failure, in milliseconds, before it is cut off. */
const MAX_GOODBYE_MS = 500;
/** Bytes of the reason of a close (RFC 6455, 5.5). */
const MAX_REASON_BYTES = 123;

const encoder = new TextEncoder();

/** An end of messages: each message is a chunk, and each chunk a message. */
export class MessageEnd extends WebSocketEnd<Message> implements MessagePair {
  readonly messages = true;
  /** Of the messages that may come. */
  protected override maxMessage = 16 * 1024 * 1024;
  /** How the other WebSocket of the join was closed, as which this one is to be closed. */
  #otherClose?: Close;
  /** The code that the peer is told after a failure of its own. */
  #blame?: number;
  /** Ends the wait for the peer's answer to our close. */
  #onAnswer?: () => void;

  openSink(meter: Meter): MessageSink {
    const sink = this.sinkOfStream(meter);
    this.attach(sink);
    return sink;
  }

  protected override sinkOfStream(meter: Meter): MessageSink {
    return new MessageSink(this, meter);
  }

  protected override onClose(event: WebSocketEventLike): void {
    super.onClose(event);
    this.#endWait();
  }

  protected override objectionTo(message: Message): Error | undefined {
    // In UTF-8 a text takes at most three bytes for each of its units.
    const { maxMessage } = this;
    if (message.length * 3 <= maxMessage) return;
    const size = payloadOf(message);
    if (size <= maxMessage) return;
    this.#blame = 1009;
    return new RangeError(`A message of ${size} bytes came ('maxMessage' is ${maxMessage})`);
  }

  override giveUp(error: Error): void {
    this.#blame ??= 1008;
    super.giveUp(error);
  }

  /** Fulfils once the peer has answered our close, or has had the time to. */
  override abort(reason: unknown): Promise<void> | undefined {
    super.abort(reason);
    if (!this.#onAnswer) return;
    return new Promise((resolve) => {
      const onAnswer = this.#onAnswer!;
      this.#onAnswer = () => {
        onAnswer();
        resolve();
      };
    });
  }

  protected override chunkOf(data: unknown): Message | undefined {
    return typeof data === "string" ? data : bytesOf(data);
  }

  protected override weigh(message: Message): number {
    return message.length * (typeof message === "string" ? 2 : 1) + MESSAGE_COST;
  }

  protected override send(message: Message): number {
    return this.sendMessage(message) ? 1 : 0;
  }

  /** Learns how the other WebSocket of the join was closed while the join still uses this end. */
  protected override disconnect(): void {
    const from = this.user instanceof MessageSink && this.user.from;
    if (from instanceof MessageEnd) this.#otherClose = from.peerClose;
    super.disconnect();
  }

  protected override closeCleanly(): void {
    const { code, reason } = this.#otherClose ?? { code: 1000 };
    if (code !== 1005) return this.#close(code, reason);
    // Bun's server closes with 1000 if it is given no code, and with no code for 1005.
    this.socket.close(this.socket.getBufferedAmount ? 1005 : undefined);
  }

  protected override cutOff(reason: unknown): void {
    const { terminate } = this.socket;
    // A close would wait behind what the peer does not take.
    if (terminate && (this.isCongested || this.pings?.isSilent)) return this.socket.terminate!();
    const [code, text] = this.#blame ? [this.#blame] : closeAfter(reason);
    this.#close(code, text);
    if (!terminate || this.socket.readyState === 3) return;
    const timer = setTimeout(() => {
      this.socket.terminate!();
      this.#endWait();
    }, MAX_GOODBYE_MS);
    this.#onAnswer = () => clearTimeout(timer);
  }

  #endWait(): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.();
  }

  #close(code: number, reason = ""): void {
    const { read } = encoder.encodeInto(reason, new Uint8Array(MAX_REASON_BYTES));
    const text = reason.slice(0, read);
    try {
      this.socket.close(code, text);
    } catch {
      // The WebSocket of a page, and others by the same standard, take 1000 and 3000-4999 alone.
      this.socket.close(code === 1001 ? 1000 : code + 3000, text);
    }
  }
}

/** Whether an endpoint may send the code (RFC 6455, 7.4). */
function isSendable(code: number): boolean {
  return code >= 3000 && code < 5000 ||
    code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006);
}

/** How a WebSocket is closed after a failure of the other end of its join. */
function closeAfter(failure: unknown): [code: number, reason?: string] {
  // The error of a WebSocketStream has a `closeCode`.
  const { code, closeCode = code, reason } = Object(failure);
  if (isSendable(closeCode)) return [closeCode, reason];
  return [BAD_GATEWAY.includes(reasonOf(failure)) ? 1014 : 1011];
}

/** The failures that the peer of the other end has caused. */
const BAD_GATEWAY: readonly string[] = ["reset", "refused", "unreachable", "protocol"];
