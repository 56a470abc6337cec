/**
 * The far side of a connection under test, and what it can be told to do.
 *
 * @module
 */
import { Fingerprint, PatternStream } from "../support/parcels.ts";
import type { Ended, Wire } from "./wire.ts";

/** What to send. */
export interface Sending {
  /** How many bytes, of the pattern with the seed. */
  readonly bytes: number;
  /** @default {1} */
  readonly seed?: number;
  /**
   * Bytes a chunk.
   *
   * @default {65_536}
   */
  readonly chunk?: number;
  /** Sends letters in text messages instead (WebSocket): each byte's low six bits, plus 48. */
  readonly text?: boolean;
}

/** What has happened so far. */
export interface FarStats {
  /** Bytes that came, and their hash; see `hashOf()` in `parcels.ts`. */
  readonly received: number;
  readonly hash: string;
  /** Reads or messages that they came in, and how large the largest was. */
  readonly chunks: number;
  readonly largest: number;
  /** Bytes that the platform has taken from us. */
  readonly sent: number;
  /** How the end's sending has ended. */
  readonly ended: Ended;
  /** Why our own sending failed, if it did. */
  readonly writeFailed?: string;
}

/** What to wait for; all of it must hold. */
export interface Until {
  /** At least so many bytes have come. */
  readonly received?: number;
  /** At least so many have been sent. */
  readonly sent?: number;
  /** The end's sending has ended, however. */
  readonly ended?: boolean;
  /** Our own sending has failed. */
  readonly writeFailed?: boolean;
  /** For so many milliseconds nothing has come or been taken. */
  readonly quiet?: number;
  /**
   * Milliseconds after which it rejects; at once when it cannot come to hold any more.
   *
   * @default {20_000}
   */
  readonly timeout?: number;
}

/** Options of a far end. */
export interface FarOptions {
  /** Whether it starts without reading. */
  readonly paused?: boolean;
  /** Whether it sends back all that it gets, end of file included. */
  readonly echo?: boolean;
}

/** The verbs of a far end. Sending and finishing happen in the order of the calls. */
export interface Far {
  /** Fulfils once the platform has taken all; rejects if it did not. */
  send(sending: Sending): Promise<void>;
  /** Begins no further chunk of what is being sent: that `send` fulfils once the platform has taken the last one. */
  stopSending(): Promise<void>;
  /** Ends the sending cleanly, after all that was sent: FIN, a WebSocket's close with 1000. */
  finish(): Promise<void>;
  /** At once: RST, `terminate()`, RESET_STREAM with the code. */
  reset(code?: number): Promise<void>;
  /** At once, and with a code and a reason where there are such (WebSocket, WebTransport session). */
  close(code?: number, reason?: string): Promise<void>;
  /** Stops reading; at most one read that waits already still gets something. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stats(): Promise<FarStats>;
  /** Fulfils once it holds, with the stats of that moment. */
  until(what: Until): Promise<FarStats>;
  /** Lets go of the connection, whatever its state. */
  dispose(): Promise<void>;
}

const CHUNK = 64 * 1024;
const TIMEOUT_MS = 20_000;

/** A {@linkcode Far} in this process. */
export class FarEnd implements Far {
  readonly #wire: Wire;
  readonly #echo: boolean;
  readonly #waiting = new Set<() => void>();
  readonly #came = new Fingerprint();
  #chunks = 0;
  #largest = 0;
  #sent = 0;
  #ended: Ended = { how: "open" };
  #writeFailed?: string;
  #paused: boolean;
  #lastChange = performance.now();
  #sending: Promise<void> = Promise.resolve();
  #isSendingStopped = false;
  #disposed = false;

  constructor(wire: Wire, { paused = false, echo = false }: FarOptions = {}) {
    this.#wire = wire;
    this.#paused = paused;
    this.#echo = echo;
    // What fails here is an echo, and `writeFailed` tells of that.
    this.#read().catch(() => {});
  }

  send({ bytes, seed = 1, chunk = CHUNK, text = false }: Sending): Promise<void> {
    return this.#inOrder(async () => {
      const pattern = new PatternStream(seed);
      this.#isSendingStopped = false;
      for (let left = bytes; left > 0 && !this.#isSendingStopped;) {
        const part = pattern.next(Math.min(left, chunk));
        if (text) part.forEach((byte, at) => part[at] = (byte & 63) + 48);
        await this.#write(part, text);
        left -= part.length;
      }
    });
  }

  stopSending(): Promise<void> {
    this.#isSendingStopped = true;
    return Promise.resolve();
  }

  finish(): Promise<void> {
    return this.#inOrder(() => this.#wire.finish());
  }

  async reset(code?: number): Promise<void> {
    await this.#wire.reset(code);
  }

  async close(code?: number, reason?: string): Promise<void> {
    await this.#wire.close(code, reason);
  }

  pause(): Promise<void> {
    this.#paused = true;
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#paused = false;
    this.#changed();
    return Promise.resolve();
  }

  stats(): Promise<FarStats> {
    return Promise.resolve(this.#stats());
  }

  async until(what: Until): Promise<FarStats> {
    const { quiet = 0, timeout = TIMEOUT_MS } = what;
    const deadline = performance.now() + timeout;
    for (;;) {
      const now = performance.now();
      const silent = now - this.#lastChange;
      const holds = this.#holds(what);
      if (holds && silent >= quiet) return this.#stats();
      if (this.#disposed || now >= deadline || this.#isHopeless(what)) {
        const [wanted, got] = [what, this.#stats()].map((value) => JSON.stringify(value));
        const since = `nothing has changed for ${Math.round(silent)} ms`;
        throw new Error(`Waited in vain for ${wanted}: ${since}, the far end has ${got}`);
      }
      await this.#change(Math.min(deadline - now, holds ? quiet - silent : Infinity));
    }
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#wire.dispose();
    this.#changed();
    await this.#sending;
  }

  #stats(): FarStats {
    return {
      received: this.#came.bytes,
      hash: this.#came.hash,
      chunks: this.#chunks,
      largest: this.#largest,
      sent: this.#sent,
      ended: this.#ended,
      writeFailed: this.#writeFailed,
    };
  }

  #holds({ received = 0, sent = 0, ended = false, writeFailed = false }: Until): boolean {
    return this.#came.bytes >= received && this.#sent >= sent &&
      (!ended || this.#ended.how !== "open") && (!writeFailed || this.#writeFailed !== undefined);
  }

  /** What it lacks will not come any more. */
  #isHopeless({ received = 0, sent = 0 }: Until): boolean {
    return this.#ended.how !== "open" && this.#came.bytes < received ||
      this.#writeFailed !== undefined && this.#sent < sent;
  }

  async #read(): Promise<void> {
    for (;;) {
      while (this.#paused && !this.#disposed) await this.#change(Infinity);
      if (this.#disposed) return;
      const got = await this.#wire.read();
      if (!(got instanceof Uint8Array)) {
        this.#ended = got;
        this.#changed();
        if (this.#echo && got.how === "eof") await this.finish();
        return;
      }
      this.#came.update(got);
      this.#chunks++;
      this.#largest = Math.max(this.#largest, got.length);
      this.#changed();
      if (this.#echo) {
        const asText = this.#wire.isText?.(got) ?? false;
        await this.#inOrder(() => this.#write(got.slice(), asText));
      }
    }
  }

  async #write(bytes: Uint8Array<ArrayBuffer>, text: boolean): Promise<void> {
    await this.#wire.write(bytes, text);
    this.#sent += bytes.length;
    this.#changed();
  }

  /** After what was asked for before, unless that has failed. */
  #inOrder(action: () => Promise<void>): Promise<void> {
    const done = this.#sending.then(async () => {
      if (this.#writeFailed !== undefined) throw new Error(this.#writeFailed);
      try {
        await action();
      } catch (error) {
        this.#writeFailed ??= String(error);
        this.#changed();
        throw error;
      }
    });
    // Whoever waits for it sees it, and `writeFailed` tells everybody else.
    this.#sending = done.catch(() => {});
    return done;
  }

  #changed(): void {
    this.#lastChange = performance.now();
    for (const look of [...this.#waiting]) look();
  }

  /** Fulfils when something has happened, or after so many milliseconds. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = ms === Infinity ? undefined : setTimeout(look, ms);
      this.#waiting.add(look);
    });
  }
}
