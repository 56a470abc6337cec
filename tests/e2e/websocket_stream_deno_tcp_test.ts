/** A page with WebSocketStream ⇄ Deno ⇄ TCP. */
import { fromWebSocketStream } from "@webstreams/join/websocket";
import { listen } from "../peer/client.ts";
import { type ChainKind, closesWhole, joinedHere, MIB, SILENT_MS, stalls } from "./chain.ts";
import { RemoteProgram } from "./remote_program.ts";
import { openWebSocketStream } from "./websocket_stream.ts";

const kind: ChainKind = {
  name: "WebSocketStream, Deno, TCP",
  on: ["chromium"],
  // Deno's WebSocket cannot stop a peer: all of it waits in the relay.
  there: { bytes: 8 * MIB },
  // Nor does ours in Chromium: all of it waits in the page.
  back: { bytes: 8 * MIB },
  async open(options) {
    const far = await listen("tcp", options);
    const { hostname, port } = far.address;
    const program = await RemoteProgram.start("deno", "upgrade_websocket", 0, hostname, port);
    const end = fromWebSocketStream(openWebSocketStream(`ws://127.0.0.1:${program.port}/`));
    const { near, joined, dispose } = joinedHere(end, options, { halfCloseTimeout: SILENT_MS });
    return {
      ...{ near, far, joined, program },
      async dispose() {
        await dispose();
        await program.stop();
        await far.dispose();
      },
    };
  },
};

stalls(kind);
closesWhole(kind);
