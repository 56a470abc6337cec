import { deferred, delay } from "../../support/async.ts";
import type { DataChannel } from "../../support/webrtc.d.ts";
import type { Ended, Wire } from "../wire.ts";

const FRAME = 16 * 1024;
const MOST_UNSENT = 1024 * 1024;
/** Bytes that may wait to be read. */
const WINDOW = 256 * 1024;

/** A far end over a data channel: what an end of `fromDataChannel()` says, by hand; or the bytes alone. */
export class DataChannelWire implements Wire {
  readonly #channel: DataChannel;
  readonly #framed: boolean;
  readonly #queue: Uint8Array[] = [];
  #ended?: Ended;
  #allowed: number;
  #sent = 0;
  #granted = 0;
  #came = 0;
  #unread = 0;
  #greeted = false;
  #over = false;
  readonly #acked = deferred<void>();
  /** In the turn in which a channel is announced, Chromium 156 may lose what it sends. */
  readonly #announced = delay(0);
  #wake = () => {};
  #room = () => {};

  constructor(channel: DataChannel, framed = true) {
    this.#channel = channel;
    this.#framed = framed;
    this.#allowed = framed ? 0 : Infinity;
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = MOST_UNSENT / 2;
    channel.addEventListener("bufferedamountlow", () => this.#room());
    channel.addEventListener("open", () => this.#grant());
    channel.addEventListener("message", ({ data }) => {
      // It may be open without having said so.
      this.#grant();
      this.#receive(data);
    });
    channel.addEventListener("close", () => {
      this.#end({ how: framed ? "reset" : "eof" });
      this.#acked.reject(new Error("The channel was closed"));
      this.#room();
    });
    this.#acked.promise.catch(() => {});
    if (channel.readyState === "open") this.#grant();
  }

  async read(): Promise<Uint8Array | Ended> {
    if (this.#queue.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#queue.shift();
    if (!chunk) return this.#ended!;
    this.#unread -= chunk.length;
    this.#grant();
    return chunk;
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#announced;
    for (let rest = bytes; rest.length > 0;) {
      const frame = rest.subarray(0, Math.min(FRAME, this.#allowed - this.#sent));
      while (frame.length > 0 && this.#channel.bufferedAmount > MOST_UNSENT) await this.#change();
      if (frame.length === 0) {
        await this.#change();
        continue;
      }
      this.#channel.send(frame);
      this.#sent += frame.length;
      rest = rest.subarray(frame.length);
    }
  }

  async finish(): Promise<void> {
    if (!this.#framed) {
      this.#channel.bufferedAmountLowThreshold = 0;
      await this.#announced;
      while (this.#channel.readyState === "open" && this.#channel.bufferedAmount > 0) {
        await new Promise<void>((resolve) => this.#room = resolve);
      }
      return this.#channel.close();
    }
    if (!this.#say("end")) return;
    await this.#acked.promise;
  }

  reset(): Promise<void> {
    this.#channel.close();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.reset();
  }

  dispose(): void {
    this.#channel.close();
    this.#end({ how: "reset" });
    this.#room();
  }

  /** Room to send, or a failure. */
  async #change(): Promise<void> {
    if (this.#channel.readyState === "open" || this.#channel.readyState === "connecting") {
      await new Promise<void>((resolve) => this.#room = resolve);
    }
    if (this.#channel.readyState !== "open") throw new Error("The channel was closed");
  }

  /** Tells the other side something, unless that closes the channel already: whether it has been told. */
  #say(text: string): boolean {
    const isOpen = this.#channel.readyState === "open";
    if (isOpen) this.#channel.send(text);
    return isOpen;
  }

  #grant(): void {
    const more = WINDOW - this.#granted + this.#came - this.#unread;
    if (!this.#framed || more < WINDOW / 2) return;
    if (this.#say(`${this.#granted + more}`)) this.#granted += more;
  }

  #receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.#listen(String(data));
    this.#came += data.byteLength;
    this.#unread += data.byteLength;
    this.#queue.push(new Uint8Array(data));
    this.#wake();
    this.#grant();
  }

  #listen(text: string): void {
    if (text === "bye") return this.#channel.close();
    if (text === "end") {
      this.#over = true;
      this.#say("ack");
      this.#end({ how: "eof" });
      void this.#acked.promise.then(() => this.#say("bye"), () => {});
    } else if (text === "ack") {
      this.#acked.resolve();
    } else {
      this.#allowed = Number(text);
      // Chromium may have lost the first one.
      if (!this.#greeted) this.#say(`${this.#granted}`);
      this.#greeted = true;
      this.#room();
    }
  }

  #end(ended: Ended): void {
    this.#ended ??= ended;
    this.#wake();
  }
}
