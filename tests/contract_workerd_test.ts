/** The contract over workerd's `connect()`: its sockets are ends as they are. */
import type * as sockets from "./workers/cloudflare.d.ts";
import { capabilitiesOf, contract } from "./contract.ts";
import { listen } from "./peer/client.ts";
import { platform } from "./support/environment.ts";

const name = "workerd connect()";

contract(name, capabilitiesOf(name, platform), async (options) => {
  // In a variable, as no other runtime, and no bundler, knows the scheme.
  const specifier: string = "cloudflare:sockets";
  const { connect }: typeof sockets = await import(specifier);
  const peer = await listen("tcp", options);
  const { hostname, port } = peer.address;
  const socket = connect({ hostname, port }, { allowHalfOpen: true });
  // It rejects with whatever the socket was aborted with.
  return { end: socket, peer, dispose: () => socket.close().catch(() => {}) };
}, {
  // A writable of workerd's that is closed or aborted is locked for good.
  staysLocked: true,
});
