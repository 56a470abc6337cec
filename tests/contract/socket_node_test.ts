/** The contract over the Sockets API on Node: the package `@arrowood.dev/socket`. */
import { connect } from "@arrowood.dev/socket";
import { join, memoryPair } from "@webstreams/join";
import { fromSocket } from "@webstreams/join/socket";
import { assertEquals } from "@std/assert";
import { capabilitiesOf, contract } from "./suite.ts";
import { test } from "../harness.ts";
import { listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";
import { joinError } from "../support/errors.ts";

const name = "fromSocket";
const allowHalfOpen = true;

contract(name, capabilitiesOf(name, platform), async (options) => {
  const peer = await listen("tcp", options);
  const { hostname, port } = peer.address;
  const socket = connect({ hostname, port }, { allowHalfOpen });
  return { end: fromSocket(socket, { allowHalfOpen }), peer };
});

test("fromSocket: Node: a failure to connect fails the join, and nothing besides", {
  on: ["node"],
}, async () => {
  const peer = await listen("tcp");
  await peer.dispose();
  const { hostname, port } = peer.address;
  // Its `closed` rejects, too: nobody else would handle that.
  const socket = connect({ hostname, port }, { allowHalfOpen });
  const error = await joinError(join(fromSocket(socket, { allowHalfOpen }), memoryPair()[0]));
  assertEquals([error.reason, error.end], ["refused", "a"], String(error.cause));
});
