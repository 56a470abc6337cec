// Keeps a forwarder from forwarding to itself; for the forwarder of one thread and its sessions.

import type { Awaitable } from "../ends.ts";
import type { TargetAddress } from "./address.ts";
import type { Listener } from "./listen.ts";
import { OwnConnections } from "./own_connections.ts";

/** Why dialing fails for a target that is the forwarder itself. */
export const IS_ITSELF = "that is this forwarder itself";

/**
 * Recognises connections from the forwarder to itself, which would be forwarded to itself again, until no
 * file descriptor is left.
 */
export class LoopGuard {
  readonly #listener: Listener;
  /** Only where dialing the target may end at the listener: for all other targets there is nothing to note. */
  readonly #own: OwnConnections | undefined;

  /** The workers of one forwarder share `memory`, made by {@linkcode OwnConnections.allocate}. */
  constructor(
    target: TargetAddress,
    listener: Listener,
    memory: SharedArrayBuffer | undefined,
  ) {
    this.#listener = listener;
    const { addr } = listener;
    if (target.kind === "tcp" && "port" in addr && target.port === addr.port) {
      this.#own = new OwnConnections(memory ?? OwnConnections.allocate());
    }
  }

  /** Whether the path leads to the Unix socket that the forwarder listens on. */
  isOwnSocket(path: string): boolean {
    return "isAt" in this.#listener && this.#listener.isAt(path);
  }

  /** Notes an accepted connection. Returns whether this forwarder has dialed it. */
  noteAccepted(client: Deno.Conn): Awaitable<boolean> {
    return this.#own?.noteAccepted(client) ?? false;
  }

  /** A TCP connection is being dialed, until {@linkcode endDial} is called. */
  beginDial(): void {
    this.#own?.beginDial();
  }

  /** Called after {@linkcode noteDialed}, or if the dial has failed. */
  endDial(): void {
    this.#own?.endDial();
  }

  /** Notes a dialed TCP connection. Returns whether this forwarder has accepted it. */
  noteDialed(target: Deno.Conn): boolean {
    return this.#own?.noteDialed(target) ?? false;
  }

  /**
   * Forgets a session's accepted connection and its dialed connection, which is `undefined` if there was none.
   * Returns whether this forwarder has accepted the dialed connection, as it may find out too late for
   * {@linkcode noteDialed}.
   */
  forget(client: Deno.Conn, target: Deno.Conn | undefined): boolean {
    return this.#own?.forget(client, target) ?? false;
  }
}
