import type { Pair } from "@webstreams/join";
import type { Ended, Wire } from "../wire.ts";

/** A far end over a pair of streams in this process. */
export class PairWire implements Wire {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  constructor({ readable, writable }: Pair) {
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    // What fails is seen by the read or the write that meets it.
    this.#reader.closed.catch(() => {});
    this.#writer.closed.catch(() => {});
  }

  async read(): Promise<Uint8Array | Ended> {
    try {
      const { done, value } = await this.#reader.read();
      return done ? { how: "eof" } : value;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? Number(error.code) : undefined;
      return { how: "reset", code, reason: String(error) };
    }
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#writer.ready;
    await this.#writer.write(bytes);
  }

  async finish(): Promise<void> {
    await this.#writer.close();
  }

  async reset(code?: number): Promise<void> {
    await this.close(code, "reset by the far end");
  }

  async close(code?: number, reason = "closed by the far end"): Promise<void> {
    const error = Object.assign(new Error(reason), { code });
    await Promise.allSettled([this.#writer.abort(error), this.#reader.cancel(error)]);
  }

  dispose(): void {
    void this.close();
  }
}
