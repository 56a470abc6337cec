import { assert } from "@std/assert";
import { OwnConnections } from "../../src/forward/own_connections.ts";
import { test } from "../harness.ts";
import { turns } from "../support/async.ts";
import { untyped } from "../support/untyped.ts";

const NEAR = { transport: "tcp", hostname: "127.0.0.1", port: 4000 };
const FAR = { transport: "tcp", hostname: "127.0.0.1", port: 5000 };

test("an accepted connection waits for a dial of the same thread that is told some turns late", async () => {
  const own = new OwnConnections(OwnConnections.allocate());
  own.beginDial();
  const isOwn = own.noteAccepted(untyped({ localAddr: FAR, remoteAddr: NEAR }));
  await turns(4);
  own.noteDialed(untyped({ localAddr: NEAR, remoteAddr: FAR }));
  own.endDial();
  assert(await isOwn);
});

test("... but not for one that does not come", async () => {
  const own = new OwnConnections(OwnConnections.allocate());
  own.beginDial();
  assert(!await own.noteAccepted(untyped({ localAddr: FAR, remoteAddr: NEAR })));
});
