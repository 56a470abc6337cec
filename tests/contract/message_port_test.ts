/** The contract over message ports, between two threads. */
import { capabilitiesOf, contract } from "./suite.ts";
import { platform } from "../support/environment.ts";
import { threaded } from "../support/message_port.ts";

const name = "fromMessagePort";
const code = 42;

contract(name, capabilitiesOf(name, platform), threaded, {
  codeIn: { code, of: (cause: unknown) => (cause as { code?: number }).code },
  codeOut: { code, reason: () => Object.assign(new Error("with a code"), { code }) },
  resetIs: "error",
});
