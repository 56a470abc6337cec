/** The contract over the data channels of pages; the far side is in the same page. */
import { fromDataChannel } from "@webstreams/join/webrtc";
import { capabilitiesOf, contract } from "./suite.ts";
import { FarEnd } from "../peer/far_end.ts";
import { DataChannelWire } from "../peer/wires/data_channel.ts";
import { platform } from "../support/environment.ts";
import { channelTo } from "../support/webrtc.ts";

const name = "fromDataChannel";

contract(name, capabilitiesOf(name, platform), async (options) => {
  const { here, accepted, close } = channelTo((there) => new DataChannelWire(there));
  const end = fromDataChannel(here);
  return { end, peer: new FarEnd(await accepted, options), dispose: close };
}, { bulk: 8 * 1024 * 1024 });
