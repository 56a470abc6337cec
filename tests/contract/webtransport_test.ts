/** The contract over WebTransport streams that are opened here: in pages, and on Deno. */
import { fromWebTransport } from "@webstreams/join/webtransport";
import { capabilitiesOf, contract } from "./suite.ts";
import { listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { codes, connect } from "../support/webtransport.ts";

const name = "fromWebTransport";

contract(name, capabilitiesOf(name, platform), async (options) => {
  const peer = await listen("webtransport", options);
  const session = await connect(peer.address);
  const stream = await session.createBidirectionalStream();
  return { end: fromWebTransport(stream), peer, dispose: () => session.close() };
}, codes);
