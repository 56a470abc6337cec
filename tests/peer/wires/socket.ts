import type { Socket } from "node:net";
import type { Ended, Wire } from "../wire.ts";

/**
 * A far end over a `net.Socket` that is paused and half-open: the one way to a true RST, which a
 * `Deno.Conn` does not offer.
 */
export class SocketWire implements Wire {
  readonly #socket: Socket;
  #ended?: Ended;
  #queue: Uint8Array[] = [];
  #wake = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (data: Uint8Array) => {
      socket.pause();
      this.#queue.push(data);
      this.#wake();
    });
    socket.on("end", () => this.#end({ how: "eof" }));
    socket.on("error", (error) => this.#end({ how: "reset", reason: error.message }));
    socket.on("close", () => this.#end({ how: "reset", reason: "closed" }));
    socket.pause();
  }

  async read(): Promise<Uint8Array | Ended> {
    if (this.#queue.length === 0 && !this.#ended) {
      this.#socket.resume();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#queue.shift() ?? this.#ended!;
  }

  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    // The callback comes once the kernel has the bytes.
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  finish(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once("error", reject);
      this.#socket.end(resolve);
    });
  }

  reset(): Promise<void> {
    this.#end({ how: "reset", reason: "reset by the far end" });
    this.#socket.resetAndDestroy();
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.dispose();
    return Promise.resolve();
  }

  dispose(): void {
    this.#end({ how: "closed", reason: "closed by the far end" });
    this.#socket.destroy();
  }

  #end(ended: Ended): void {
    this.#ended ??= ended;
    this.#wake();
  }
}
