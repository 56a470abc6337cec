/**
 * The far sides that the recipes' tests connect through them.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type ListenOptions, type Socket } from "node:net";
import { tmpdir } from "node:os";
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
    await this.#listen({ port: 0, host: "127.0.0.1" });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Of a Unix socket, in the place of a port. */
  async path(): Promise<string> {
    await this.#listen({ path: `${tmpdir()}/join-${crypto.randomUUID()}.sock` });
    return this.#server.address() as string;
  }

  async #listen(options: ListenOptions): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(options);
    await once(this.#server, "listening");
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
  return new TestServer((socket) => {
    text(socket).then((all) => socket.end(`got ${all}`), () => {});
  });
}

/** Connects, half-open. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  socket.on("error", () => {});
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

/** Asks, ends, and gets what comes until the connection is closed; it may fail as well. */
export async function ask(port: number, question: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => answer += text);
  socket.end(question);
  return await new Promise((resolve, reject) => {
    socket.on("error", reject).on("end", () => resolve(answer));
    socket.on("close", () => reject(new Error(`Closed after '${answer}'`)));
  });
}

/** Connects, and resets the connection. */
export async function reset(port: number): Promise<void> {
  const socket = await dial(port);
  const closed = once(socket, "close");
  socket.resetAndDestroy();
  await closed;
}

/** Nobody listens there. */
export async function freePort(): Promise<number> {
  await using server = new TestServer(() => {});
  return await server.port();
}
