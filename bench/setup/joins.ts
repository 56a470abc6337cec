/**
 * Joins in memory, one after another, on whatever runtime this is loaded.
 *
 * @module
 */
import { join, type JoinOptions, memoryPair, type Pair } from "../../mod.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Makes ends, joins them, and lets a byte pass. */
export type Once = (options?: JoinOptions) => Promise<void>;

/** Ways to do it. */
export const ways: Readonly<Record<string, Once>> = {
  /** A client, two joined ends, a server: a byte there, nothing back, both close. */
  "memoryPair ends": async (options) => {
    const [client, a] = memoryPair();
    const [b, server] = memoryPair();
    const joined = join(a, b, options);
    await Promise.all([talk(client, server), joined]);
  },
  /** What of that is the ends' own: the same talk over one pair, nothing joined. */
  "one pair, no join": async () => {
    const [client, server] = memoryPair();
    await talk(client, server);
  },
  /** The join next to alone: ends of plain functions. */
  "Go-style ends": async (options) => {
    const sink = new GoEnd(0);
    await join(new GoEnd(1), sink, options);
    if (sink.got !== 1) throw new Error(`${sink.got} of 1 byte arrived`);
  },
};

const BYTE = new Uint8Array(1);

async function talk(client: Pair, server: Pair): Promise<void> {
  const writer = client.writable.getWriter();
  void writer.write(BYTE);
  const [got, back] = await Promise.all([
    drain(server.readable),
    drain(client.readable),
    writer.close(),
    server.writable.close(),
  ]);
  if (got !== 1 || back !== 0) throw new Error(`${got} of 1 byte arrived, ${back} came back`);
}

async function drain(readable: ReadableStream<Bytes>): Promise<number> {
  const reader = readable.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes += value.byteLength;
  }
}

class GoEnd {
  got = 0;
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  read(): number | null {
    return this.#left-- > 0 ? 1 : null;
  }

  write(bytes: Bytes): number {
    this.got += bytes.length;
    return bytes.length;
  }

  closeWrite(): void {}

  close(): void {}
}
