/** The contract over Unix sockets of `node:net`, also where Deno and Bun have it. */
import { connect } from "node:net";
import { connected } from "../adapters/node/sockets.ts";
import { capabilitiesOf, contract } from "./suite.ts";
import { listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";

const name = "fromNodeSocket, Unix";

contract(name, capabilitiesOf(name, platform), async (options) => {
  const peer = await listen("unix", options);
  return connected(connect({ path: peer.address.path, allowHalfOpen: true }), peer);
});
