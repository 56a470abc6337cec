/** The contract over the QUIC streams below a WebTransport session that Deno serves. */
import { capabilitiesOf, contract } from "./suite.ts";
import { codes } from "../support/webtransport.ts";
import { incomingStream } from "../tools/webtransport_server.ts";
import { openServed } from "./webtransport_served.ts";

const can = capabilitiesOf("fromWebTransport", "deno QUIC");
contract("fromWebTransport (QUIC)", can, openServed(incomingStream), {
  ...codes,
  // 64 MiB take 4 s here, and 20 s on a busy machine; the sessions that are opened here pass them.
  bulk: 16 * 1024 * 1024,
});
