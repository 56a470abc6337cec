/**
 * A page that relays from one WebTransport stream to another, by whatever the bench tells it.
 *
 * @module
 */
import { join } from "../../mod.ts";
import { fromWebTransport } from "../../src/adapters/webtransport.ts";
import { connect, type SessionAddress } from "../../tests/tools/webtransport_session.ts";

/** What the page is to do next. */
export interface Order {
  readonly contender: Contender;
  readonly from: SessionAddress;
  readonly to: SessionAddress;
}

/** How it relays. */
export type Contender = keyof typeof contenders;

type Stream = WebTransportBidirectionalStream;

const contenders = {
  "join": (a: Stream, b: Stream) => join(fromWebTransport(a), fromWebTransport(b)),
  "two pipeTo": (a: Stream, b: Stream) =>
    Promise.all([a.readable.pipeTo(b.writable), b.readable.pipeTo(a.writable)]),
};

const post = (path: string, body = "") => fetch(path, { method: "POST", body });

async function relay({ contender, from, to }: Order): Promise<void> {
  const sessions = await Promise.all([connect(from), connect(to)]);
  const [a, b] = await Promise.all(sessions.map((session) => session.createBidirectionalStream()));
  // A stream shows to the peer with its first byte.
  await Promise.all([a!, b!].map(async ({ writable }) => {
    const writer = writable.getWriter();
    await writer.write(new Uint8Array(1));
    writer.releaseLock();
  }));
  // Deno's streams send no FIN: the bench says when all has come, and the sessions end it.
  contenders[contender](a!, b!).catch(() => {});
  await post("/arrived");
  for (const session of sessions) session.close();
}

try {
  for (;;) {
    const order: Order | null = await (await post("/order")).json();
    if (order === null) break;
    await relay(order);
  }
  await post("/done");
} catch (error) {
  await post("/done", String(error));
}
