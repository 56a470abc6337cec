/** A page with a plain WebSocket ⇄ Bun ⇄ Unix socket. */
import { fromWebSocket } from "@webstreams/join/websocket";
import { listen } from "../peer/client.ts";
import { runtime } from "../support/environment.ts";
import {
  type ChainKind,
  closesWhole,
  joinedHere,
  MIB,
  SILENT_MS,
  stalls,
  TCP_BYTES,
} from "./chain.ts";
import { RemoteProgram } from "./remote_program.ts";

const kind: ChainKind = {
  name: "WebSocket, Bun, Unix socket",
  on: ["chromium", "firefox", "webkit"],
  // WebKitGTK's `bufferedAmount` falls although nobody reads.
  there: { bytes: TCP_BYTES + 8 * MIB, bound: runtime === "webkit" ? undefined : TCP_BYTES },
  // A page's WebSocket cannot stop its peer: all of it waits in the page.
  back: { bytes: 8 * MIB },
  async open(options) {
    const far = await listen("unix", options);
    const program = await RemoteProgram.start("bun", "websocket_bun", 0, far.address.path);
    const end = fromWebSocket(new WebSocket(`ws://127.0.0.1:${program.port}/`));
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
