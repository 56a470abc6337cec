/** A page with WebTransport ⇄ Deno ⇄ TCP. */
import { fromWebTransport } from "@webstreams/join/webtransport";
import { listen } from "../peer/client.ts";
import { connect } from "../tools/webtransport_session.ts";
import { type ChainKind, halfCloses, joinedHere, MIB, stalls } from "./chain.ts";
import { RemoteProgram } from "./remote_program.ts";

const kind: ChainKind = {
  name: "WebTransport, Deno, TCP",
  on: ["chromium", "firefox"],
  there: { bytes: 96 * MIB, bound: 64 * MIB },
  back: { bytes: 96 * MIB, bound: 64 * MIB },
  async open(options) {
    const far = await listen("tcp", options);
    const { hostname, port } = far.address;
    const program = await RemoteProgram.start(
      ...["deno", "webtransport_server"] as const,
      ...["$FOLDER/cert.pem", "$FOLDER/key.pem", 0, hostname, port],
    );
    const { certificateHash } = program;
    const session = await connect({ url: `https://127.0.0.1:${program.port}/`, certificateHash });
    const stream = await session.createBidirectionalStream();
    const { near, joined, dispose } = joinedHere(fromWebTransport(stream), options);
    return {
      ...{ near, far, joined, program },
      async dispose() {
        await dispose();
        session.close();
        await program.stop();
        await far.dispose();
      },
    };
  },
};

stalls(kind);
halfCloses(kind);
