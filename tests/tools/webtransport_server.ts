/**
 * A WebTransport server on Deno, for one session. For tests and benches.
 *
 * @module
 */
import { selfSigned } from "./certs.ts";
import type { SessionAddress } from "./webtransport_session.ts";

/** A stream that the client has opened. */
export type Stream = Deno.QuicBidirectionalStream | WebTransportBidirectionalStream;

/** It waits for one connection. */
export class Server {
  readonly address: SessionAddress;
  readonly #endpoint: Deno.QuicEndpoint;
  readonly #listener: Deno.QuicListener;

  private constructor(endpoint: Deno.QuicEndpoint, cert: string, key: string, hash: string) {
    this.#endpoint = endpoint;
    this.#listener = endpoint.listen({ cert, key, alpnProtocols: ["h3"] });
    this.address = { url: `https://127.0.0.1:${endpoint.addr.port}/`, certificateHash: hash };
  }

  static async start(): Promise<Server> {
    const { cert, key } = await selfSigned();
    const base64 = cert.replace(/-----[^-]+-----|\s/g, "");
    const der = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
    const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return new Server(new Deno.QuicEndpoint({ hostname: "127.0.0.1" }), cert, key, hex);
  }

  /** The connection that comes. */
  async accept(): Promise<Deno.QuicConn> {
    const conn = await (await this.#listener.incoming()).accept();
    // Else a peer that vanishes ends the process.
    conn.closed.catch(() => {});
    return conn;
  }

  close(): void {
    this.#endpoint.close();
  }
}

/** Deno 2.9 closes a session once it is collected, whatever is still under way on its streams. */
const sessions = new Set<WebTransport>();

async function upgraded(conn: Deno.QuicConn): Promise<WebTransport> {
  const session = await Deno.upgradeWebTransport(conn);
  sessions.add(session);
  const forget = () => sessions.delete(session);
  session.closed.then(forget, forget);
  await session.ready;
  return session;
}

/** The first stream of the session over `conn`, as Deno's WebTransport gives it. */
export async function accepted(conn: Deno.QuicConn): Promise<Stream> {
  return await first((await upgraded(conn)).incomingBidirectionalStreams);
}

/** The same stream as QUIC has it, which can send a FIN (deno#36822). */
export async function incomingStream(conn: Deno.QuicConn): Promise<Stream> {
  await upgraded(conn);
  const stream = await first(conn.incomingBidirectionalStreams);
  const reader = stream.readable.getReader({ mode: "byob" });
  // What says that it is a stream of the session.
  await skipVarint(reader);
  await skipVarint(reader);
  reader.releaseLock();
  return stream;
}

async function first<T>(streams: ReadableStream<T>): Promise<T> {
  const reader = streams.getReader();
  const { value, done } = await reader.read();
  reader.releaseLock();
  if (done) throw new Error("The session was closed before there was a stream");
  return value;
}

/** A QUIC integer of a variable length: the first two bits tell it. */
async function skipVarint(reader: ReadableStreamBYOBReader): Promise<void> {
  const { value } = await reader.read(new Uint8Array(1), { min: 1 });
  const rest = (1 << (value![0] >> 6)) - 1;
  if (rest > 0) await reader.read(new Uint8Array(rest), { min: rest });
}
