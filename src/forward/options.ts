// Public: `ForwardOptions`. What checks them is `settings.ts`.

import type { ForwardEvent } from "./events.ts";

/** Options of {@linkcode forward}. */
export interface ForwardOptions {
  /**
   * The address to listen on: `tcp://host:port` (an IPv6 host in brackets, port 0 for any free port) or
   * `unix:/path`.
   */
  listen: string;
  /** The address to forward to: `tcp://host:port`, `unix:/path`, or the built-in `echo:` or `discard:`. */
  target: string;
  /**
   * How long both directions of a connection may be silent (no settled read or write), in ms, before the
   * connection is cut.
   *
   * @default {Infinity}
   */
  idleTimeout?: number;
  /**
   * After one direction of a connection has ended, how long the other may stay silent (no settled read or
   * write), in ms, before the connection is closed.
   *
   * @default {3_600_000}
   */
  halfCloseTimeout?: number;
  /**
   * What happens when one side has sent everything: `"pass"` tells the other side and lets it go on sending,
   * `"end"` closes the connection.
   *
   * @default {"pass"}
   */
  halfClose?: "pass" | "end";
  /**
   * How long a connection may last, in ms, whatever moves on it, before it is cut.
   *
   * @default {Infinity}
   */
  maxDuration?: number;
  /**
   * How long connecting to the target may take, in ms.
   *
   * @default {10_000}
   */
  connectTimeout?: number;
  /**
   * How long open connections may go on after a shutdown has begun, in ms, before they are cut.
   *
   * @default {10_000}
   */
  grace?: number;
  /**
   * How many connections may be open at once. At the maximum, further clients wait in the system's backlog
   * until a connection ends.
   *
   * @default {Infinity}
   */
  maxConnections?: number;
  /**
   * How fast each direction of each connection may move, in bytes per second.
   *
   * @default {Infinity}
   */
  rate?: number;
  /**
   * How many bytes may pass in each direction of each connection: the first byte beyond that cuts the
   * connection. Without this option any number may pass.
   */
  limit?: number;
  /**
   * Whether the forwarder stops listening after the first connection, and finishes when that ends.
   *
   * @default {false}
   */
  once?: boolean;
  /**
   * How many workers, each a thread of its own, serve the connections. The system spreads the connections
   * over the workers, whether a worker is busy or not. `maxConnections` is divided among the workers, so that a
   * client may wait for its worker while another worker has room. `stats()` may be 200 ms old. More than one
   * worker needs a TCP address to listen on, and Deno's `--unstable-net`; other processes may then listen on
   * the port as well, as with `reusePort`.
   *
   * @default {1}
   */
  workers?: number;
  /**
   * Whether other processes may listen on the same port (`SO_REUSEPORT`) and get a share of its connections.
   * It needs a TCP address to listen on, and Deno's `--unstable-net`.
   *
   * @default {false}
   */
  reusePort?: boolean;
  /**
   * The mode of the file of the Unix socket to listen on, 0 to 0o777. Whoever may write to the file may
   * connect: with `0o660` the file's user and group.
   *
   * @default {0o777 without the umask's bits}
   */
  unixMode?: number;
  /** A signal that shuts the forwarder down at its abort, as `shutdown()` does. */
  signal?: AbortSignal;
  /**
   * Whether `onEvent` is also called with an `open` event for each connection that is accepted.
   *
   * @default {false}
   */
  openEvents?: boolean;
  /**
   * Called with each event: that the forwarder listens, that a connection has ended, that accepting has failed,
   * that a shutdown has begun. What it throws surfaces as an uncaught error, and ends no connection.
   */
  onEvent?: (event: ForwardEvent) => void;
}
