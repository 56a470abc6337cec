import type { Http2Stream } from "node:http2";
import type { Ended, Wire } from "../wire.ts";

/** A far end over a stream of `node:http2`, by its events. */
export class Http2Wire implements Wire {
  readonly #stream: Http2Stream;
  #ended?: Ended;
  #queue: Uint8Array[] = [];
  #wake = () => {};
  /** Of the write that waits. */
  #refuse = (_reason: Error) => {};

  constructor(stream: Http2Stream) {
    this.#stream = stream;
    stream.on("data", (data: Uint8Array) => {
      stream.pause();
      this.#queue.push(data);
      this.#wake();
    });
    const reset = (reason: string) => this.#end({ how: "reset", code: stream.rstCode, reason });
    // After a RST_STREAM with CANCEL or NO_ERROR there is an `end`, as after an end of file.
    stream.on("end", () => stream.rstCode ? reset("ended") : this.#end({ how: "eof" }));
    // Most clients take a reset with NO_ERROR for an end.
    stream.on("aborted", () => stream.rstCode ? reset("aborted") : this.#end({ how: "eof" }));
    stream.on("error", (error: Error) => reset(error.message));
    stream.on("close", () => {
      reset("closed");
      this.#refuse(new Error("closed"));
    });
    stream.pause();
  }

  async read(): Promise<Uint8Array | Ended> {
    if (this.#queue.length === 0 && !this.#ended) {
      this.#stream.resume();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#queue.shift() ?? this.#ended!;
  }

  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#refuse = reject;
      this.#stream.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  finish(): Promise<void> {
    return new Promise((resolve) => {
      // It closes without a `finish` if the other side had ended (Node).
      this.#stream.once("close", resolve);
      this.#stream.end(resolve);
    });
  }

  reset(): Promise<void> {
    this.#end({ how: "reset", reason: "reset by the far end" });
    this.#stream.destroy(new Error("reset by the far end"));
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.dispose();
    return Promise.resolve();
  }

  dispose(): void {
    this.#end({ how: "closed", reason: "closed by the far end" });
    this.#stream.destroy();
  }

  #end(ended: Ended): void {
    this.#ended ??= ended;
    this.#wake();
  }
}
