import type { Ended, Wire } from "../wire.ts";

/** What of a `Deno.Conn` is used. */
type RawConn = Pick<Deno.Conn, "read" | "write" | "closeWrite" | "close">;

const SIZE = 64 * 1024;

/**
 * A far end over a `Deno.Conn`.
 *
 * A Unix socket resets if it is closed with unread input, and only then. TLS resets by what carries it.
 */
export class ConnWire implements Wire {
  readonly #conn: RawConn;
  readonly #resetCarrier?: () => void;
  readonly #p = new Uint8Array(SIZE);
  #closed?: Ended;
  #eof = false;
  #finished = false;

  /** @param resetCarrier Resets what carries the connection. */
  constructor(conn: RawConn, resetCarrier?: () => void) {
    this.#conn = conn;
    this.#resetCarrier = resetCarrier;
  }

  async read(): Promise<Uint8Array | Ended> {
    let count: number | null;
    try {
      count = await this.#conn.read(this.#p);
    } catch (error) {
      return this.#closed ?? { how: "reset", reason: String(error) };
    }
    if (count !== null) return this.#p.subarray(0, count);
    this.#eof = true;
    this.#closeIfOver();
    return { how: "eof" };
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  async finish(): Promise<void> {
    await this.#conn.closeWrite();
    this.#finished = true;
    this.#closeIfOver();
  }

  reset(): Promise<void> {
    this.#resetCarrier?.();
    this.#close({ how: "reset", reason: "reset by the far end" });
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.dispose();
    return Promise.resolve();
  }

  dispose(): void {
    this.#close({ how: "closed", reason: "closed by the far end" });
  }

  /** A conn, other than a socket of Node's, has to be closed once both directions have ended. */
  #closeIfOver(): void {
    if (this.#eof && this.#finished) this.dispose();
  }

  #close(how: Ended): void {
    if (this.#closed) return;
    this.#closed = how;
    try {
      this.#conn.close();
    } catch {
      // Deno may have closed it already, after a failure.
    }
  }
}
