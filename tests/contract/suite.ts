/**
 * The contract: one suite for every adapter, over its real platform.
 *
 * An adapter's test opens an end and its far side, and names what the platform can do; the suite holds
 * all of it to be so, and what is missing to be missing.
 *
 * ```ts ignore
 * contract("fromNodeSocket", capabilitiesOf("fromNodeSocket", platform), async (options) => {
 *   const peer = await listen("tcp", options); // tests/peer/client.ts
 *   const socket = connect(peer.address.port, peer.address.hostname);
 *   return {
 *     end: fromNodeSocket(socket),
 *     peer,
 *     leftovers: () => socket.eventNames().map(String),
 *     dispose: () => void socket.destroy(),
 *   };
 * });
 * ```
 *
 * @module
 */
import { bytesArrive } from "./transfers.ts";
import type { Capabilities } from "./capabilities.ts";
import { drainsAreGraceful } from "./draining.ts";
import { directionsEnd } from "./ending.ts";
import { abortsAreQuick, codesPass, resetsAreSeen } from "./failing.ts";
import type { ContractOptions, Open } from "./setup.ts";
import { stallsAreFelt } from "./stalling.ts";
import { streamsWork } from "./streams.ts";
import { lastWordsArrive } from "./parting.ts";
import { messagesPass } from "./messages.ts";

export { capabilitiesOf } from "./capabilities.ts";
export type { Capabilities } from "./capabilities.ts";
export type { Connected, ContractOptions, Open } from "./setup.ts";

/**
 * Registers the suite.
 *
 * @param name The adapter, and its role if there are several.
 * @param capabilities What it can do here; `undefined` where there is no such thing: nothing is tested.
 * @param open Connects a new end.
 */
export function contract(
  name: string,
  capabilities: Capabilities | undefined,
  open: Open,
  options: ContractOptions = {},
): void {
  if (!capabilities) return;
  const setup = { ...options, name, can: capabilities, open };
  bytesArrive(setup);
  directionsEnd(setup);
  drainsAreGraceful(setup);
  resetsAreSeen(setup);
  lastWordsArrive(setup);
  abortsAreQuick(setup);
  codesPass(setup);
  stallsAreFelt(setup);
  streamsWork(setup);
  messagesPass(setup);
}
