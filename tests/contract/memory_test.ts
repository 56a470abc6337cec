import { memoryPair, type MemoryPairOptions } from "@webstreams/join";
import { capabilitiesOf, contract, type Open } from "./suite.ts";
import { FarEnd } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import { platform } from "../support/environment.ts";

const open = (options?: MemoryPairOptions): Open => (far) => {
  const [pair, other] = memoryPair(options);
  // With something to close, which must happen once.
  const end = { ...pair, close: () => {} };
  return Promise.resolve({ end, peer: new FarEnd(new PairWire(other), far) });
};
const code = 42;
const codes = {
  codeIn: { code, of: (cause: unknown) => (cause as { code?: number }).code },
  codeOut: { code, reason: () => Object.assign(new Error("with a code"), { code }) },
};

contract("memoryPair", capabilitiesOf("memory", platform), open(), { ...codes, resetIs: "error" });
