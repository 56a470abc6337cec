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
  /** As most who have streams. */
  "join, streams": async (options) => {
    const [a, b] = [streams(1), streams(0)];
    await join(a, b, options);
    arrived(b.got());
  },
  /** The same without half-close, count, timeouts or one outcome. */
  "two pipeTo, streams": async () => {
    const [a, b] = [streams(1), streams(0)];
    await Promise.all([a.readable.pipeTo(b.writable), b.readable.pipeTo(a.writable)]);
    arrived(b.got());
  },
  /** A client, two joined ends, a server: a byte there, nothing back, both close. */
  "join, memoryPair": async (options) => {
    const [client, a] = memoryPair();
    const [b, server] = memoryPair();
    const joined = join(a, b, options);
    await Promise.all([talk(client, server), joined]);
  },
  /** What of that is the ends' own: the same talk over one pair, nothing joined. */
  "no join, memoryPair": async () => {
    const [client, server] = memoryPair();
    await talk(client, server);
  },
  /** The join next to alone: ends of plain functions. */
  "join, Go-style": async (options) => {
    const sink = new GoEnd(0);
    await join(new GoEnd(1), sink, options);
    arrived(sink.got);
  },
};

function arrived(bytes: number): void {
  if (bytes !== 1) throw new Error(`${bytes} of 1 byte arrived`);
}

/** An end that sends so many bytes, and counts what it gets. */
function streams(bytes: number) {
  let got = 0;
  const readable = new ReadableStream<Bytes>({
    start(controller) {
      if (bytes > 0) controller.enqueue(new Uint8Array(bytes));
      controller.close();
    },
  });
  const writable = new WritableStream<Bytes>({
    write: ({ length }) => void (got += length),
  });
  return { readable, writable, got: () => got };
}

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
