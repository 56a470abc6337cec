/**
 * A relay on Bun by its own handlers, as one would write them: `bun_by_hand.ts VIA TARGET`.
 *
 * @module
 */
interface Socket {
  data: { peer?: Socket; rest?: Uint8Array; ended?: boolean };
  write(bytes: Uint8Array): number;
  shutdown(): void;
  end(): void;
  pause(): void;
  resume(): void;
}

interface Options {
  readonly hostname: string;
  readonly port: number | undefined;
  readonly allowHalfOpen: boolean;
  readonly data?: Socket["data"];
  readonly socket: Readonly<Record<string, unknown>>;
}

declare const Bun: {
  readonly argv: readonly string[];
  listen(options: Options): unknown;
  connect(options: Options): Promise<Socket>;
};

const hostname = "127.0.0.1";
const allowHalfOpen = true;
const [via, target] = Bun.argv.slice(2).map(Number);

const socket = {
  binaryType: "uint8array",
  data({ data }: Socket, bytes: Uint8Array) {
    send(data.peer!, bytes);
  },
  drain(socket: Socket) {
    const { rest } = socket.data;
    if (rest) send(socket, rest);
  },
  end({ data }: Socket) {
    const peer = data.peer!;
    if (peer.data.rest) peer.data.ended = true;
    else peer.shutdown();
  },
  close({ data }: Socket) {
    const peer = data.peer;
    // Bun tells `close` alone of an end that comes after our own.
    if (peer && !peer.data.rest) peer.end();
    else if (peer) peer.data.ended = true;
  },
};

/** What does not fit waits for `drain`, and holds up the socket that it comes from. */
function send(socket: Socket, bytes: Uint8Array): void {
  const { data } = socket;
  const taken = Math.max(0, socket.write(bytes));
  const waited = data.rest !== undefined;
  data.rest = taken < bytes.length ? bytes.slice(taken) : undefined;
  if (data.rest) data.peer!.pause();
  else if (waited) data.peer!.resume();
  if (!data.rest && data.ended) socket.shutdown();
}

Bun.listen({
  hostname,
  port: via,
  allowHalfOpen,
  socket: {
    ...socket,
    async open(client: Socket) {
      client.data = {};
      client.pause();
      const data = { peer: client };
      client.data.peer = await Bun.connect({ hostname, port: target, allowHalfOpen, data, socket });
      client.resume();
    },
  },
});
