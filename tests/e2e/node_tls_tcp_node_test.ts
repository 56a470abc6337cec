/** Node TLS ⇄ Node TCP. */
import { join, type JoinResult } from "@webstreams/join";
import { fromNodeSocket } from "@webstreams/join/node";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { host, listenOnce } from "../adapters/node/sockets.ts";
import { certificate, dial, listen } from "../peer/client.ts";
import { type ChainKind, halfCloses, MIB, stalls, TCP_BYTES } from "./chain.ts";

/** It passes two connections. */
const load = { bytes: 2 * TCP_BYTES + 8 * MIB, bound: 2 * TCP_BYTES };
const kind: ChainKind = {
  name: "Node TLS, Node TCP",
  on: ["node"],
  there: load,
  back: load,
  async open(options) {
    const { cert, key } = await certificate();
    const server = createServer({ cert, key, allowHalfOpen: true });
    const { port, accepted } = await listenOnce(server, "secureConnection");
    const far = await listen("tcp", options);
    const near = await dial("tls", { port, ca: cert }, options);
    const client = await accepted;
    const upstream = connect({ host, port: far.address.port, allowHalfOpen: true });
    const joined: Promise<JoinResult> = join(fromNodeSocket(client), fromNodeSocket(upstream));
    return {
      ...{ near, far, joined },
      async dispose() {
        client.destroy();
        upstream.destroy();
        await near.dispose();
        await far.dispose();
      },
    };
  },
};

stalls(kind);
halfCloses(kind);
