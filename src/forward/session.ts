// One connection, from connecting to the target to its end; for the forwarder alone.

import type { Counts } from "../counts.ts";
import { JoinError } from "../errors.ts";
import { join } from "../join/join.ts";
import type { JoinStats } from "../join/options.ts";
import { reasonOf } from "../reason.ts";
import { formatAddress, formatDenoAddress } from "./address.ts";
import { DiscardEnd, EchoEnd } from "./builtin.ts";
import { dial, type LeadsHere } from "./dial.ts";
import type { CloseEvent, CloseReason, ConnectionEvent } from "./events.ts";
import { messageOf } from "./plain_message.ts";
import type { Settings } from "./options.ts";

/** How a session ended; `error` is what to say about it. */
export interface Outcome {
  reason: CloseReason;
  error?: string;
}

const NOTHING: Counts = { bytes: 0, chunks: 0 };

/**
 * One accepted connection, from connecting to the target to the end. It is the join's `stats` object
 * itself, as an idle one is to hold as little as possible.
 */
export class Session implements JoinStats {
  /** What the target has taken, live. */
  aToB: Counts = NOTHING;
  /** What the client has taken, live. */
  bToA: Counts = NOTHING;
  readonly #id: number;
  readonly #client: Deno.Conn;
  readonly #accepted = performance.now();
  /** What gives a connecting up; only while there is one. */
  #dialing?: AbortController;
  #target?: Deno.Conn | EchoEnd | DiscardEnd;
  #isCut = false;

  /** The session is from here on the owner of the connection. */
  constructor(id: number, client: Deno.Conn) {
    this.#id = id;
    this.#client = client;
  }

  /**
   * Serves the connection; never rejects, as whatever fails is this connection's matter only. Fulfils
   * once it is joined: a function that waits as long as the join does weighs 0.5 KiB (V8).
   */
  async run(
    settings: Settings,
    onEnd: (outcome: Outcome) => void,
    leadsHere: LeadsHere,
  ): Promise<void> {
    let target;
    try {
      this.#target = target = await this.#connect(settings, leadsHere);
    } catch (error) {
      this.#client.close();
      return onEnd(this.#undialed(error, settings));
    } finally {
      this.#dialing = undefined;
    }
    // It was cut when the connection was there and this had not yet heard of it.
    if (this.#isCut) this.cut();
    join(this.#client, target, { ...settings.join, stats: this }).then(
      ({ reason }) => onEnd({ reason }),
      (error) => onEnd(this.#broken(error)),
    );
  }

  /**
   * Cuts the connection. Closing both sides ends the join as a signal would, which every connection
   * had to hold then (Deno 2.9: 0.8 KiB).
   */
  cut(): void {
    this.#isCut = true;
    this.#dialing?.abort();
    if (this.#target) { for (const end of [this.#client, this.#target]) closeQuietly(end); }
  }

  /** The two connections, the target's if it is one and there. */
  get conns(): [client: Deno.Conn, target: Deno.Conn | undefined] {
    const target = this.#target;
    return [this.#client, target !== undefined && "localAddr" in target ? target : undefined];
  }

  /** The event that tells of the session's end. */
  closeEvent({ reason, error }: Outcome, settings: Settings): CloseEvent {
    const event: CloseEvent = {
      event: "close",
      ...this.connection(settings),
      aToB: this.aToB.bytes,
      bToA: this.bToA.bytes,
      ms: Math.round(performance.now() - this.#accepted),
      reason,
    };
    if (error !== undefined) event.error = error;
    return event;
  }

  /** What every event of the session tells. */
  connection({ listen, target }: Settings): ConnectionEvent {
    return {
      id: this.#id,
      // The client of a Unix socket has no address of its own.
      from: listen.kind === "unix"
        ? formatAddress(listen)
        : formatDenoAddress(this.#client.remoteAddr),
      to: formatAddress(target),
    };
  }

  #connect({ target, connectTimeout }: Settings, leadsHere: LeadsHere) {
    switch (target.kind) {
      case "echo":
        return new EchoEnd();
      case "discard":
        return new DiscardEnd();
      default:
        this.#dialing = new AbortController();
        return dial(target, connectTimeout, this.#dialing, leadsHere).then(keptAlive);
    }
  }

  #undialed(error: unknown, { target }: Settings): Outcome {
    const reason = this.#isCut
      ? "shutdown"
      : isTimeout(error)
      ? "connect-timeout"
      : reasonOf(error);
    return { reason, error: `Cannot connect to ${formatAddress(target)}: ${messageOf(error)}` };
  }

  #broken(error: unknown): Outcome {
    if (this.#isCut) return { reason: "shutdown", error: "The forwarder was shut down" };
    if (!(error instanceof JoinError)) return { reason: "error", error: messageOf(error) };
    const { cause, end, side, reason } = error;
    const verb = side === "write" ? "write to" : "read from";
    const where = end === undefined
      ? ""
      : `Cannot ${verb} the ${end === "a" ? "client" : "target"}: `;
    return { reason, error: where + messageOf(cause) };
  }
}

/**
 * Turns TCP keepalive on, so that a peer that is gone without a word does not stay for ever. When it is
 * asked is the system's choice (Deno 2.9): after 2 hours, on Linux net.ipv4.tcp_keepalive_time.
 */
export function keptAlive<T extends Deno.Conn>(conn: T): T {
  if (isTcp(conn)) {
    try {
      conn.setKeepAlive(true);
    } catch {
      // The peer has gone already: the first read says so.
    }
  }
  return conn;
}

function isTcp(conn: Deno.Conn): conn is Deno.TcpConn {
  return "setKeepAlive" in conn;
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

interface Closer {
  close(): void;
}

function closeQuietly(end: Closer): void {
  try {
    end.close();
  } catch {
    // It was closed already.
  }
}
