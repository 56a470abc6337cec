/**
 * The far sides that the recipes' tests connect through them.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Readable } from "node:stream";

/** A TCP server for one test. */
export class TestServer implements AsyncDisposable {
  readonly #server;
  readonly #sockets = new Set<Socket>();

  /** @param serve What it does with a connection. */
  constructor(serve: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      serve(socket);
    });
  }

  async port(): Promise<number> {
    if (!this.#server.listening) {
      this.#server.listen(0, "127.0.0.1");
      await once(this.#server, "listening");
    }
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}

/** A server that answers only once it has all: its reply is lost where half-close is not handed through. */
export function lateReplies(): TestServer {
  return new TestServer(async (socket) => {
    socket.end(`got ${await text(socket)}`);
  });
}

/** Connects, half-open. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** All that comes until the end; iterating would destroy the stream there. */
export async function text(stream: Readable): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  stream.on("data", (chunk: Uint8Array) => all += decoder.decode(chunk, { stream: true }));
  await once(stream, "end");
  return all + decoder.decode();
}
