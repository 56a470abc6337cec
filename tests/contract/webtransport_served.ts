import { fromWebTransport } from "@webstreams/join/webtransport";
import { dial } from "../peer/client.ts";
import { Server, type Stream } from "../tools/webtransport_server.ts";
import type { Open } from "./setup.ts";

/** Ends for the contract: streams that the peer opens, taken by `streamOf`. */
export function openServed(streamOf: (conn: Deno.QuicConn) => Promise<Stream>): Open {
  return async (options) => {
    const server = await Server.start();
    const stream = server.accept().then(streamOf);
    // If the peer fails to connect, that is the error to tell.
    stream.catch(() => {});
    const peer = await dial("webtransport", server.address, options);
    return { end: fromWebTransport(await stream), peer, dispose: () => server.close() };
  };
}
