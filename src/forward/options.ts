import { refuse } from "../errors.ts";
import { OptionReader } from "../options.ts";
import { formatAddress, type ListenAddress, parseListen, parseTarget } from "./address.ts";
import type { TargetAddress } from "./address.ts";
import type { ForwardEvent } from "./events.ts";

/** Options of {@linkcode forward}. */
export interface ForwardOptions {
  /**
   * Where to listen: `tcp://host:port` (an IPv6 host in brackets, port 0 for any that is free) or
   * `unix:/path`.
   */
  listen: string;
  /** Where to forward to: `tcp://host:port`, `unix:/path`, or the built-in `echo:` or `discard:`. */
  target: string;
  /**
   * Milliseconds without a settled read or write in either direction after which a connection is
   * cut.
   *
   * @default {Infinity}
   */
  idleTimeout?: number;
  /**
   * Milliseconds of silence after which a connection is closed of which one direction has ended.
   *
   * @default {3_600_000}
   */
  halfCloseTimeout?: number;
  /**
   * What the end of one side's sending is: passed on alone, or the end of the connection.
   *
   * @default {"pass"}
   */
  halfClose?: "pass" | "end";
  /**
   * Milliseconds after which a connection is cut, whatever moves on it.
   *
   * @default {Infinity}
   */
  maxDuration?: number;
  /**
   * Milliseconds that connecting to the target may take.
   *
   * @default {10_000}
   */
  connectTimeout?: number;
  /**
   * Milliseconds that open connections get to finish at a shutdown.
   *
   * @default {10_000}
   */
  grace?: number;
  /**
   * How many connections are served at once. At the maximum no further one is accepted until one
   * ends; clients wait in the system's backlog.
   *
   * @default {Infinity}
   */
  maxConnections?: number;
  /**
   * Bytes a second in each direction of each connection.
   *
   * @default {Infinity}
   */
  rate?: number;
  /** Bytes that may pass in each direction of each connection; the first one past them cuts it. */
  limit?: number;
  /**
   * Serve one connection, then stop.
   *
   * @default {false}
   */
  once?: boolean;
  /**
   * How many workers serve the connections, each a thread of its own: the system spreads them over the
   * workers, whether they are busy or not, `maxConnections` is divided among them, so that a client may
   * wait while another one has room, and `stats()` is up to 200 ms old. Above 1 it takes
   * a TCP address to listen on, and Deno's `--unstable-net`; other processes may then listen on the
   * port as well, as with `reusePort`.
   *
   * @default {1}
   */
  workers?: number;
  /**
   * Whether other processes may listen on the same port (`SO_REUSEPORT`), and share its connections.
   * It takes a TCP address, and Deno's `--unstable-net`.
   *
   * @default {false}
   */
  reusePort?: boolean;
  /**
   * Who may connect to the Unix socket that is listened on, as the mode of its file: `0o660` for its
   * user and group. Connecting takes the right to write. 0 to 0o777.
   *
   * @default {0o777 without the umask's bits}
   */
  unixMode?: number;
  /** Shuts the forwarder down when it aborts, as `shutdown()` does. */
  signal?: AbortSignal;
  /**
   * Whether `onEvent` hears of connections when they are accepted as well, by an `open` event each.
   *
   * @default {false}
   */
  openEvents?: boolean;
  /** Called with whatever happens: listening, the end of a connection, trouble, the shutdown. */
  onEvent?: (event: ForwardEvent) => void;
}

/** The options of a join's. */
type OfJoin = Pick<
  ForwardOptions,
  "idleTimeout" | "halfCloseTimeout" | "halfClose" | "maxDuration" | "rate" | "limit"
>;

/** Options checked, parsed and with their defaults. */
export interface Settings {
  listen: ListenAddress;
  target: TargetAddress;
  /** What `join` is to be told; what was not given is `undefined`, so that its own defaults hold. */
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
