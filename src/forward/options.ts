// Public: `ForwardOptions`. Their check is for the forwarder alone.

import { refuse } from "../check/refuse.ts";
import { OptionReader } from "../check/options.ts";
import { formatAddress, type ListenAddress, parseListen, parseTarget } from "./address.ts";
import type { TargetAddress } from "./address.ts";
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
   * How many bytes may pass in each direction of each connection: the first byte past the limit cuts the
   * connection. Without a limit any number may pass.
   */
  limit?: number;
  /**
   * Whether the forwarder stops listening after the first connection, and ends with that.
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
  /** A signal that shuts the forwarder down, as `shutdown()` does, when it aborts. */
  signal?: AbortSignal;
  /**
   * Whether `onEvent` is also called with an `open` event for each connection that is accepted.
   *
   * @default {false}
   */
  openEvents?: boolean;
  /** Called with each event: listening, the end of a connection, trouble with accepting, the shutdown. */
  onEvent?: (event: ForwardEvent) => void;
}

/** The options that are handed to `join`. */
type OfJoin = Pick<
  ForwardOptions,
  "idleTimeout" | "halfCloseTimeout" | "halfClose" | "maxDuration" | "rate" | "limit"
>;

/** Options checked, parsed and with their defaults. */
export interface Settings {
  listen: ListenAddress;
  target: TargetAddress;
  /** Options for `join`; options that were not given are `undefined`, so that the defaults of `join` hold. */
  join: OfJoin;
  connectTimeout: number;
  grace: number;
  maxConnections: number;
  once: boolean;
  workers: number;
  reusePort: boolean;
  unixMode: number | undefined;
  openEvents: boolean;
  signal: AbortSignal | undefined;
  onEvent: ((event: ForwardEvent) => void) | undefined;
}

/** How long connecting may take and how long a shutdown waits, unless told otherwise. */
const DEFAULT_TIMEOUT = 10_000;

const READER = new OptionReader("forward");

/**
 * Checks the options before anything is opened.
 *
 * @throws {TypeError} If an option is of the wrong type, or an address cannot be read.
 * @throws {RangeError} If a number is out of its range.
 */
export function checkOptions(options: ForwardOptions): Settings {
  if (typeof options !== "object" || options === null) {
    refuse("forward", "options", "must be an object", options);
  }
  const listen = parseListen(checkString(options.listen, "listen"), "listen");
  const target = parseTarget(checkString(options.target, "target"), "target");
  checkApart(listen, target);
  const once = READER.boolean("once", options.once);
  const maxConnections = checkMaxConnections(options.maxConnections);
  const workers = checkWorkers(options.workers, maxConnections, once);
  const reusePort = READER.boolean("reusePort", options.reusePort);
  if ((reusePort || workers > 1) && listen.kind !== "tcp") {
    const name = reusePort ? "reusePort" : "workers";
    refuse("forward", name, "takes a TCP address to listen on", formatAddress(listen));
  }
  return {
    listen,
    target,
    join: checkJoin(options),
    connectTimeout: READER.timeout("connectTimeout", options.connectTimeout) ?? DEFAULT_TIMEOUT,
    grace: checkGrace(options.grace, DEFAULT_TIMEOUT),
    maxConnections,
    once,
    workers,
    reusePort,
    unixMode: checkUnixMode(options.unixMode, listen),
    openEvents: READER.boolean("openEvents", options.openEvents),
    signal: READER.signal(options.signal),
    onEvent: checkListener(options.onEvent),
  };
}

/** Checks the grace of a shutdown: any timeout, or 0; `otherwise` if there is none. */
export function checkGrace(value: number | undefined, otherwise: number): number {
  return value === 0 ? 0 : READER.timeout("grace", value) ?? otherwise;
}

function checkJoin(options: ForwardOptions): OfJoin {
  return {
    idleTimeout: READER.timeout("idleTimeout", options.idleTimeout),
    halfCloseTimeout: READER.timeout("halfCloseTimeout", options.halfCloseTimeout),
    halfClose: READER.word("halfClose", options.halfClose, ["pass", "end"]),
    maxDuration: READER.timeout("maxDuration", options.maxDuration),
    rate: READER.rate("rate", options.rate),
    limit: READER.limit("limit", options.limit),
  };
}

function checkMaxConnections(value: unknown): number {
  const rule = "must be a positive integer, or Infinity";
  return value === Infinity ? Infinity : checkCount("maxConnections", value, rule) ?? Infinity;
}

function checkWorkers(value: unknown, maxConnections: number, once: boolean): number {
  const workers = checkCount("workers", value, "must be a positive integer") ?? 1;
  if (workers > maxConnections) {
    refuse(
      "forward",
      "workers",
      `must be at most 'maxConnections', ${maxConnections}`,
      workers,
      RangeError,
    );
  }
  if (once && workers > 1) refuse("forward", "workers", "must be 1 with 'once'", workers);
  return workers;
}

function checkUnixMode(value: unknown, listen: ListenAddress): number | undefined {
  if (value === undefined) return undefined;
  const rule = "must be an integer from 0 to 0o777";
  if (typeof value !== "number") refuse("forward", "unixMode", rule, value);
  if (!Number.isInteger(value) || value < 0 || value > 0o777) {
    refuse("forward", "unixMode", rule, value, RangeError);
  }
  if (listen.kind === "unix") return value;
  refuse("forward", "unixMode", "takes a Unix socket to listen on", formatAddress(listen));
}

function checkCount(name: string, value: unknown, rule: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") refuse("forward", name, rule, value);
  if (Number.isSafeInteger(value) && value > 0) return value;
  refuse("forward", name, rule, value, RangeError);
}

function checkString(value: string, name: string): string {
  if (typeof value === "string") return value;
  refuse("forward", name, "must be a string", value);
}

function checkListener(value: ForwardOptions["onEvent"]): ForwardOptions["onEvent"] {
  if (value === undefined || typeof value === "function") return value;
  refuse("forward", "onEvent", "must be a function", value);
}

/** A forwarder that connects to itself does so until no file descriptor is left. */
function checkApart(listen: ListenAddress, target: TargetAddress): void {
  const text = formatAddress(listen);
  if (text !== formatAddress(target) || (listen.kind === "tcp" && listen.port === 0)) return;
  refuse("forward", "target", "must be another address than 'listen'", text);
}
