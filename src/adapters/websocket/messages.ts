// The end of a WebSocket whose chunks are messages; for the WebSocket adapters.

import { bytesOf, payloadOf } from "../../check/bytes.ts";
import type { Message, MessagePair } from "../../ends.ts";
import { Meter } from "../../core/meter.ts";
import { reasonOf } from "../../reason.ts";
import { tellTaken } from "../../core/taken.ts";
import { writeWhole } from "../../core/sink.ts";
import { type Farewell, SocketEnd } from "./end.ts";
import { MessageSink } from "./message_sink.ts";

/** What a message that waits unread takes besides what it carries, so that empty ones are not for nothing. */
const MESSAGE_COST = 64;
/** How long the peer has to answer a close that tells of a failure, before it is cut off where it can be. */
const LAST_WORDS_MS = 500;
/** Bytes of a close's reason (RFC 6455, 5.5). */
const LONGEST_REASON = 123;

const encoder = new TextEncoder();

/** One of messages: each is a chunk, in and out. */
export class MessageEnd extends SocketEnd<Message> implements MessagePair {
  readonly messages = true;
  maxMessage = 16 * 1024 * 1024;
  /** As what it is to be closed. */
  #farewell?: Farewell;
  /** What the peer is told of a failure that is its own. */
  #blame?: number;
  /** Ends the wait for the peer's answer to its last close. */
  #answered?: () => void;

  openSink(meter: Meter): MessageSink {
    const sink = new MessageSink(this, meter);
    this.attach(sink);
    return sink;
  }

  override handleEvent(event: Parameters<SocketEnd<Message>["handleEvent"]>[0]): void {
    super.handleEvent(event);
    if (event.type === "close") this.#endWait();
  }

  protected override objection(message: Message): Error | undefined {
    const { maxMessage } = this;
    // In UTF-8 a text takes up to three bytes for each of its units.
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

  /** @returns Fulfils once the peer has answered, or had the time to. */
  override abort(reason: unknown): Promise<void> | undefined {
    super.abort(reason);
    if (!this.#answered) return;
    return new Promise((resolve) => {
      const answered = this.#answered!;
      this.#answered = () => {
        answered();
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
    return this.sendNow(message) ? 1 : 0;
  }

  protected override openWritable(
    start: (controller: WritableStreamDefaultController) => void,
  ): WritableStream<Message> {
    const meter = new Meter();
    const sink = new MessageSink(this, meter);
    const writable = new WritableStream<Message>({
      start,
      write: (message) => writeWhole(sink, message),
      close: () => sink.end(),
      abort: (reason) => sink.abort(reason),
    });
    tellTaken(writable, () => meter.counts.bytes + sink.takenUnsettled);
    return writable;
  }

  /** As the WebSocket was closed that what was sent came from: who knows that may be gone when all has been. */
  protected override shut(): void {
    const from = this.user instanceof MessageSink && this.user.from;
    if (from instanceof MessageEnd) this.#farewell = from.farewell;
    super.shut();
  }

  protected override closeClean(): void {
    const { code, reason } = this.#farewell ?? { code: 1000 };
    // A Bun server's takes no code for 1000.
    const none = this.socket.getBufferedAmount ? 1005 : undefined;
    if (code === 1005) this.socket.close(none);
    else this.#closeWith(code, reason);
  }

  protected override cutOff(reason: unknown): void {
    const { terminate } = this.socket;
    // What it has not taken would come before any word of ours.
    if (terminate && (this.congested || this.pings?.silent)) return this.socket.terminate!();
    const [code, text] = this.#blame ? [this.#blame] : closeOf(reason);
    this.#closeWith(code, text);
    if (!terminate || this.socket.readyState === 3) return;
    const timer = setTimeout(() => {
      this.socket.terminate!();
      this.#endWait();
    }, LAST_WORDS_MS);
    this.#answered = () => clearTimeout(timer);
  }

  #endWait(): void {
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.();
  }

  #closeWith(code: number, reason = ""): void {
    const { read } = encoder.encodeInto(reason, new Uint8Array(LONGEST_REASON));
    const text = reason.slice(0, read);
    try {
      this.socket.close(code, text);
    } catch {
      // A page's, and all that are made by the same standard, may say no other than these.
      this.socket.close(code === 1001 ? 1000 : code + 3000, text);
    }
  }
}

/** RFC 6455, 7.4: what may be sent. */
function isSendable(code: number): boolean {
  return code >= 3000 && code < 5000 ||
    code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006);
}

/** What a failure of the other side is called. */
function closeOf(failure: unknown): [code: number, reason?: string] {
  // A WebSocketStream's own error says `closeCode`.
  const { code, closeCode = code, reason } = Object(failure);
  if (isSendable(closeCode)) return [closeCode, reason];
  return [BAD_GATEWAY.includes(reasonOf(failure)) ? 1014 : 1011];
}

/** It is the other side's peer that has failed. */
const BAD_GATEWAY: readonly string[] = ["reset", "refused", "unreachable", "protocol"];
