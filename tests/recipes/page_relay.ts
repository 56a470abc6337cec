/**
 * Joins a WebTransport stream to a WebSocket, in a page.
 *
 * @module
 */
import { join, type JoinResult } from "@webstreams/join";
import { fromWebSocket } from "@webstreams/join/websocket";
import { fromWebTransport } from "@webstreams/join/webtransport";

/** Relays between a server of the one and a server of the other. */
export async function relay(session: WebTransport, feed: WebSocket): Promise<JoinResult> {
  const socket = fromWebSocket(feed); // At once: it keeps what comes meanwhile.
  try {
    await session.ready;
    const stream = fromWebTransport(await session.createBidirectionalStream());
    return await join(stream, socket);
  } catch (error) {
    socket.close?.(error); // Also if there is no stream to join it to.
    throw error;
  }
}
