/**
 * Relays WebTransport streams to a TCP server, on Deno, with the PEM files of a certificate:
 *
 *     deno run --unstable-net -A webtransport_server.ts cert.pem key.pem 4433 127.0.0.1 5900
 *
 * It takes the streams of the QUIC connection, as those of Deno's WebTransport send no FIN
 * (https://github.com/denoland/deno/issues/36822).
 *
 * @module
 */
import { join } from "@webstreams/join";
import { fromWebTransport } from "@webstreams/join/webtransport";

const [cert, key] = Deno.args.slice(0, 2).map((file) => Deno.readTextFileSync(file));
const [port, hostname, target] = Deno.args.slice(2);

const sessions = new Set<WebTransport>();

const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: Number(port) });
const listener = endpoint.listen({ cert, key, alpnProtocols: ["h3"] });
console.log(`listening on ${endpoint.addr.port}`);
for await (const incoming of listener) {
  serve(incoming).catch((error) => console.error(error.message));
}

async function serve(incoming: Deno.QuicIncoming): Promise<void> {
  const conn = await incoming.accept();
  try {
    const session = await Deno.upgradeWebTransport(conn);
    sessions.add(session); // Deno closes one that nothing refers to any more.
    const left = new AbortController();
    const forget = () => {
      sessions.delete(session);
      left.abort(new Error("The client has left"));
    };
    session.closed.then(forget, forget);
    await session.ready;
    for await (const stream of conn.incomingBidirectionalStreams) {
      relay(stream, left.signal).catch((error) => console.error(error.message));
    }
  } finally {
    conn.close({ closeCode: 0, reason: "" });
  }
}

async function relay(stream: Deno.QuicBidirectionalStream, signal: AbortSignal): Promise<void> {
  try {
    const reader = stream.readable.getReader({ mode: "byob" });
    await skipInteger(reader); // What says that it is a stream of WebTransport's,
    await skipInteger(reader); // and of which session.
    reader.releaseLock();
    using upstream = await Deno.connect({ hostname, port: Number(target), signal });
    const { aToB, bToA } = await join(fromWebTransport(stream), upstream);
    console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    for (const half of [stream.readable.cancel(error), stream.writable.abort(error)]) {
      half.catch(() => {}); // It is closed already.
    }
    throw error;
  }
}

/** The first two bits of a QUIC integer tell how many bytes follow. */
async function skipInteger(reader: ReadableStreamBYOBReader): Promise<void> {
  const { value } = await reader.read(new Uint8Array(1), { min: 1 });
  const more = (1 << (value![0] >> 6)) - 1;
  if (more > 0) await reader.read(new Uint8Array(more), { min: more });
}
