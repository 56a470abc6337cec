/** The contract over the streams of `node:http2`, of a client and of a server, on Node, Deno and Bun. */
import { once } from "node:events";
import { connect, createServer, type Http2Stream, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { fromNodeSocket } from "@webstreams/join/node";
import { host } from "../adapters/node/sockets.ts";
import { capabilitiesOf, type Connected, contract } from "./suite.ts";
import { FarEnd, type FarOptions } from "../peer/far_end.ts";
import { Http2Wire } from "../peer/wires/http2.ts";
import { platform } from "../support/environment.ts";

const name = "fromNodeSocket, HTTP/2";
const capabilities = capabilitiesOf(name, platform);
const bulk = 16 * 1024 * 1024;

for (const role of ["client", "server"] as const) {
  contract(`${name}, ${role}`, capabilities, (options) => open(role, options), { bulk });
}

async function open(role: "client" | "server", options: FarOptions): Promise<Connected> {
  const server = createServer();
  await once(server.listen(0, host), "listening");
  const session = connect(`http://${host}:${(server.address() as AddressInfo).port}`);
  const accepted = once(server, "stream");
  const stream = session.request({ ":method": "CONNECT", ":authority": "target:1" });
  const [other] = await accepted as [ServerHttp2Stream];
  other.respond({ ":status": 200 });
  await once(stream, "response");
  const [ours, theirs]: [Http2Stream, Http2Stream] = role === "client"
    ? [stream, other]
    : [other, stream];
  const closed = new Promise<void>((resolve) => void ours.once("close", resolve));
  return {
    end: fromNodeSocket(ours),
    peer: new FarEnd(new Http2Wire(theirs), options),
    leftovers: async () => {
      if (!ours.destroyed) return ["an open stream"];
      await closed;
      return ["data", "drain"].flatMap((event) => Array(ours.listenerCount(event)).fill(event));
    },
    async dispose() {
      ours.destroy();
      session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
