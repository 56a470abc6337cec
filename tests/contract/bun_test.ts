/** The contract over Bun's own sockets, connected, accepted, and upgraded to TLS. */
import { type BunSocket, fromBunSocket, handlers } from "@webstreams/join/bun";
import { bun, listenOnce } from "../adapters/bun/runtime.ts";
import type { SocketOptions } from "../tools/bun.ts";
import { capabilitiesOf, type Connected, contract } from "./suite.ts";
import { certificate, dial, listen, type RemoteFar } from "../peer/client.ts";
import { platform } from "../support/environment.ts";

const hostname = "127.0.0.1";
const options = { socket: handlers, allowHalfOpen: true } satisfies SocketOptions;

contract("fromBunSocket", capabilitiesOf("fromBunSocket", platform), async (far) => {
  const peer = await listen("tcp", far);
  const { port } = peer.address;
  return connected(await bun.connect({ ...options, hostname, port }), peer);
});

contract("fromBunSocket, accepted", capabilitiesOf("fromBunSocket", platform), async (far) => {
  const { port, accepted } = listenOnce({ ...options, hostname, port: 0 });
  const peer = await dial("tcp", { port }, far);
  return connected(await accepted, peer);
});

const unix = "fromBunSocket, Unix";

contract(unix, capabilitiesOf(unix, platform), async (far) => {
  const peer = await listen("unix", far);
  const { path } = peer.address;
  return connected(await bun.connect({ ...options, unix: path }), peer);
});

const tls = "fromBunSocket, TLS";

contract(tls, capabilitiesOf(tls, platform), async (far) => {
  const peer = await listen("tls", far);
  const { port, ca } = peer.address;
  return connected(await bun.connect({ ...options, hostname, port, tls: { ca } }), peer);
});

contract(`${tls}, upgraded`, capabilitiesOf(tls, platform), async (far) => {
  const peer = await listen("tls", far);
  const { port, ca } = peer.address;
  const plain = await bun.connect({ ...options, hostname, port });
  const [, secure] = plain.upgradeTLS({ tls: { ca }, socket: handlers });
  return connected(secure, peer);
}, { bulk: 8 * 1024 * 1024 });

contract(`${tls}, accepted`, capabilitiesOf(tls, platform), async (far) => {
  const { cert, key } = await certificate();
  const { port, accepted } = listenOnce({ ...options, hostname, port: 0, tls: { cert, key } });
  const peer = await dial("tls", { port, ca: cert }, far);
  return connected(await accepted, peer);
});

function connected(socket: BunSocket, peer: RemoteFar): Connected {
  return {
    end: fromBunSocket(socket),
    peer,
    leftovers: () => socket.readyState > 0 ? ["an open socket"] : [],
    dispose: () => socket.terminate(),
  };
}
