import { capabilitiesOf, contract } from "./suite.ts";
import { dial, listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";

const hostname = "127.0.0.1";

contract("Deno.TcpConn", capabilitiesOf("Deno.TcpConn", platform), async (options) => {
  const peer = await listen("tcp", options);
  const { port } = peer.address;
  return { end: await Deno.connect({ hostname, port }), peer };
});

contract("Deno.UnixConn", capabilitiesOf("Deno.UnixConn", platform), async (options) => {
  const peer = await listen("unix", options);
  const { path } = peer.address;
  return { end: await Deno.connect({ transport: "unix", path }), peer };
});

contract("Deno.TlsConn", capabilitiesOf("Deno.TlsConn", platform), async (options) => {
  const peer = await listen("tls", options);
  const { port, ca } = peer.address;
  const end = await Deno.connectTls({ hostname, port, caCerts: [ca] });
  await end.handshake();
  return { end, peer };
});

contract("Deno.TcpConn, accepted", capabilitiesOf("Deno.TcpConn", platform), async (options) => {
  using listener = Deno.listen({ hostname, port: 0 });
  const { port } = listener.addr;
  const [end, peer] = await Promise.all([listener.accept(), dial("tcp", { port }, options)]);
  return { end, peer };
});
