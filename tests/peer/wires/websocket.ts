// @ts-types="./ws.d.ts"
import type { WebSocket } from "ws";
import type { Ended, Wire } from "../wire.ts";

/** The codes of a clean end: normal, going away, none given. */
const CLEAN = [1000, 1001, 1005];

/** A far end over a WebSocket of the `ws` package, the one that can stop reading. */
export class WebSocketWire implements Wire {
  readonly #socket: WebSocket;
  readonly #queue: Uint8Array[] = [];
  readonly #texts = new WeakSet<Uint8Array>();
  #ended?: Ended;
  #wake = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data, isBinary) => {
      socket.pause();
      // One of the package's own stands for all that are empty.
      const message = data.length === 0 ? new Uint8Array() : data;
      if (!isBinary) this.#texts.add(message);
      this.#queue.push(message);
      this.#wake();
    });
    socket.on("close", (code, reason) => {
      const how = CLEAN.includes(code) ? "eof" : "reset";
      this.#end({ how, code, reason: new TextDecoder().decode(reason) });
    });
    // A `close` with 1006 or with its own code follows.
    socket.on("error", () => {});
    socket.pause();
  }

  async read(): Promise<Uint8Array | Ended> {
    if (this.#queue.length === 0 && !this.#ended) {
      this.#socket.resume();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#queue.shift() ?? this.#ended!;
  }

  isText(message: Uint8Array): boolean {
    return this.#texts.has(message);
  }

  write(bytes: Uint8Array<ArrayBuffer>, asText: boolean): Promise<void> {
    // The callback comes once the kernel has the bytes.
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, { binary: !asText }, (error) => error ? reject(error) : resolve());
    });
  }

  finish(): Promise<void> {
    return this.close(1000);
  }

  reset(code?: number): Promise<void> {
    if (code !== undefined) return this.close(code);
    this.#socket.terminate();
    return Promise.resolve();
  }

  close(code?: number, reason?: string): Promise<void> {
    // A paused socket would not see the answer.
    this.#socket.resume();
    this.#socket.close(code, reason);
    return Promise.resolve();
  }

  dispose(): void {
    this.#socket.resume();
    this.#socket.terminate();
  }

  #end(ended: Ended): void {
    this.#ended ??= ended;
    this.#wake();
  }
}
