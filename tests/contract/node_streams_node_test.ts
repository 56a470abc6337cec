/** The contract over Node's one-way streams: the two halves of a `net.Socket`, each by its adapter. */
import { duplex } from "@webstreams/join";
import { fromNodeReadable, fromNodeWritable } from "@webstreams/join/node";
import { connect } from "node:net";
import { host } from "../adapters/node/sockets.ts";
import { capabilitiesOf, contract } from "./suite.ts";
import { listen } from "../peer/client.ts";
import { platform } from "../support/environment.ts";

const name = "fromNodeReadable, fromNodeWritable";

contract(name, capabilitiesOf(name, platform), async (options) => {
  const peer = await listen("tcp", options);
  const socket = connect({ host, port: peer.address.port, allowHalfOpen: true });
  const close = () => void socket.destroy();
  return {
    end: duplex(fromNodeReadable(socket), fromNodeWritable(socket), { close }),
    peer,
    leftovers: () => socket.destroyed ? [] : ["an open socket"],
    dispose: close,
  };
}, { bulk: 16 * 1024 * 1024 });
