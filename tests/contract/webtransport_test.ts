/** The contract over WebTransport streams that are opened here: in pages, and on Deno. */
import { fromWebTransport } from "@webstreams/join/webtransport";
import { capabilitiesOf, contract } from "./suite.ts";
import { listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { codes } from "../support/webtransport.ts";
import { connect } from "../tools/webtransport_session.ts";

const name = "fromWebTransport";

contract(name, capabilitiesOf(name, platform), async (options) => {
  const peer = await listen("webtransport", options);
  const session = await connect(peer.address);
  const stream = await session.createBidirectionalStream();
  return { end: fromWebTransport(stream), peer, dispose: () => session.close() };
}, {
  ...codes,
  // The peer's QUIC is in JavaScript, and moves 20 MB/s.
  bulk: 16 * 1024 * 1024,
});
