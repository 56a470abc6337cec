/** The contract over the streams of a WebTransport session that Deno serves. */
import { capabilitiesOf, contract } from "./suite.ts";
import { codes } from "../support/webtransport.ts";
import { accepted } from "../tools/webtransport_server.ts";
import { openServed } from "./webtransport_served.ts";

const can = capabilitiesOf("fromWebTransport", "deno server");
contract("fromWebTransport (server)", can, openServed(accepted), {
  ...codes,
  // 64 MiB take 4 s here, and 20 s on a busy machine; the sessions that are opened here pass them.
  bulk: 16 * 1024 * 1024,
});
