import type { Ended } from "../wire.ts";
import type { QuicConnection } from "./connection.ts";

const SIZE = 64 * 1024;
/** Longer than an acknowledgement may be held back (25). */
const QUIET_MS = 40;
/** While so much comes that it is never quiet, the other side's FIN is not there. */
const BUSY_MS = 5000;

/** One stream of a QUIC connection. */
export class QuicStream {
  readonly id: number;
  readonly #connection: QuicConnection;
  readonly #p = new Uint8Array(SIZE);
  #ended?: Ended;
  #fin = false;
  #lost?: Ended;
  #wakes = new Set<() => void>();

  constructor(connection: QuicConnection, id: number) {
    this.#connection = connection;
    this.id = id;
  }

  /** The next bytes, valid until the next call, or how it has ended. */
  async read(): Promise<Uint8Array | Ended> {
    for (;;) {
      if (this.#ended) return this.#ended;
      if (this.#fin) return this.#ended = { how: "eof" };
      let got: [number, boolean] | null;
      try {
        got = this.#connection.quiche.streamRecv(this.id, this.#p);
      } catch (error) {
        const code = codeIn(error);
        return this.#ended = { how: "reset", code, reason: String(error) };
      }
      if (got) {
        const [count, fin] = got;
        this.#fin = fin;
        // There may be a larger window to tell.
        this.#connection.flush();
        if (count > 0) return this.#p.subarray(0, count);
      } else {
        await this.#woken();
      }
    }
  }

  /** Sends bytes; fulfils once they are in quiche's hands. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      this.#assertOpen();
      const sent = this.#connection.quiche.streamSend(this.id, rest, false) ?? 0;
      this.#connection.flush();
      rest = rest.subarray(sent);
      if (rest.length > 0) await this.#woken();
    }
  }

  /** Sends a FIN. */
  async finish(): Promise<void> {
    // Quiche forgets a FIN that it cannot send at once, as when something is to be sent again before,
    // should all data be acknowledged meanwhile and the other side's FIN be there: it takes the stream
    // for complete.
    await this.#connection.quiet(QUIET_MS, BUSY_MS);
    this.#assertOpen();
    this.#connection.quiche.streamSend(this.id, new Uint8Array(), true);
    this.#connection.flushNow();
  }

  /** Ends both directions, RESET_STREAM and STOP_SENDING. */
  shutdown(code: number): void {
    this.#ended ??= { how: "reset", code, reason: "reset by the far end" };
    for (const direction of [0, 1] as const) {
      try {
        this.#connection.quiche.streamShutdown(this.id, direction, code);
      } catch {
        // That direction is over already.
      }
    }
    this.#connection.flush();
    this.look();
  }

  /** Something may have happened to it. */
  look(): void {
    for (const wake of [...this.#wakes]) wake();
  }

  /** Its connection is no more, or what it belongs to. */
  lost(ended: Ended): void {
    this.#lost ??= ended;
    if (!this.#fin) this.#ended ??= ended;
    this.look();
  }

  #assertOpen(): void {
    if (this.#lost) throw new Error(`The session is over: ${JSON.stringify(this.#lost)}`);
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakes.delete(wake);
        resolve();
      };
      this.#wakes.add(wake);
    });
  }
}

/** The code in quiche's `StreamReset(code)` and `StreamStopped(code)`. */
function codeIn(error: unknown): number | undefined {
  const [, code] = String(error).match(/Stream(?:Reset|Stopped)\((\d+)\)/) ?? [];
  return code === undefined ? undefined : Number(code);
}
