// Checks `ForwardOptions` and gives them their defaults; for the forwarder alone.

import { OptionReader } from "../check/options.ts";
import { isSize, refuse } from "../check/refuse.ts";
import {
  formatAddress,
  type ListenAddress,
  parseListen,
  parseTarget,
  type TargetAddress,
} from "./address.ts";
import type { ForwardEvent } from "./events.ts";
import type { ForwardOptions } from "./options.ts";

/** The options that are handed to `join`. */
type JoinSettings = Pick<
  ForwardOptions,
  "idleTimeout" | "halfCloseTimeout" | "halfClose" | "maxDuration" | "rate" | "limit"
>;

/** The options of a forwarder, checked, parsed and with their defaults. */
export interface Settings {
  readonly listen: ListenAddress;
  readonly target: TargetAddress;
  /** Options that were not given are `undefined`, so that the defaults of `join` hold. */
  readonly join: JoinSettings;
  readonly connectTimeout: number;
  readonly grace: number;
  readonly maxConnections: number;
  readonly once: boolean;
  readonly workers: number;
  readonly reusePort: boolean;
  readonly unixMode: number | undefined;
  readonly openEvents: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: ((event: ForwardEvent) => void) | undefined;
}

const DEFAULT_CONNECT_TIMEOUT = 10_000;
const DEFAULT_GRACE = 10_000;

const READER = new OptionReader("forward");

/**
 * Checks the options before anything is opened.
 *
 * @throws {TypeError} If an option is of the wrong type, or an address cannot be read.
 * @throws {RangeError} If a number is out of its range.
 */
export function readOptions(options: ForwardOptions): Settings {
  if (typeof options !== "object" || options === null) {
    refuse("forward", "options", "must be an object", options);
  }
  const listen = parseListen(readString("listen", options.listen), "listen");
  const target = parseTarget(readString("target", options.target), "target");
  assertApart(listen, target);
  const once = READER.boolean("once", options.once);
  const maxConnections = readMaxConnections(options.maxConnections);
  const workers = readWorkers(options.workers, maxConnections, once);
  const reusePort = READER.boolean("reusePort", options.reusePort);
  if (reusePort) assertTcp("reusePort", listen);
  if (workers > 1) assertTcp("workers", listen);
  return {
    listen,
    target,
    join: readJoinOptions(options),
    connectTimeout: READER.timeout("connectTimeout", options.connectTimeout) ??
      DEFAULT_CONNECT_TIMEOUT,
    grace: readGrace(options.grace, DEFAULT_GRACE),
    maxConnections,
    once,
    workers,
    reusePort,
    unixMode: readUnixMode(options.unixMode, listen),
    openEvents: READER.boolean("openEvents", options.openEvents),
    signal: READER.signal(options.signal),
    onEvent: readOnEvent(options.onEvent),
  };
}

/** Checks the grace of a shutdown: 0 or any timeout. Returns `byDefault` if there is none. */
export function readGrace(value: number | undefined, byDefault: number): number {
  return value === 0 ? 0 : READER.timeout("grace", value) ?? byDefault;
}

function readJoinOptions(options: ForwardOptions): JoinSettings {
  return {
    idleTimeout: READER.timeout("idleTimeout", options.idleTimeout),
    halfCloseTimeout: READER.timeout("halfCloseTimeout", options.halfCloseTimeout),
    halfClose: READER.word("halfClose", options.halfClose, ["pass", "end"]),
    maxDuration: READER.timeout("maxDuration", options.maxDuration),
    rate: READER.rate("rate", options.rate),
    limit: READER.limit("limit", options.limit),
  };
}

function readMaxConnections(value: unknown): number {
  if (value === undefined || value === Infinity) return Infinity;
  return readCount("maxConnections", value, "must be a positive integer, or Infinity");
}

function readWorkers(value: unknown, maxConnections: number, once: boolean): number {
  if (value === undefined) return 1;
  const workers = readCount("workers", value, "must be a positive integer");
  if (workers > maxConnections) {
    const rule = `must be at most 'maxConnections', ${maxConnections}`;
    refuse("forward", "workers", rule, workers, RangeError);
  }
  if (once && workers > 1) refuse("forward", "workers", "must be 1 with 'once'", workers);
  return workers;
}

function readUnixMode(value: unknown, listen: ListenAddress): number | undefined {
  if (value === undefined) return undefined;
  const mode = readInteger("unixMode", value, 0, 0o777, "must be an integer from 0 to 0o777");
  if (listen.kind === "unix") return mode;
  refuse("forward", "unixMode", "takes a Unix socket to listen on", formatAddress(listen));
}

function readCount(name: string, value: unknown, rule: string): number {
  return readInteger(name, value, 1, Number.MAX_SAFE_INTEGER, rule);
}

function readInteger(
  name: string,
  value: unknown,
  min: number,
  max: number,
  rule: string,
): number {
  if (isSize(value, min, max)) return value;
  refuse("forward", name, rule, value, typeof value === "number" ? RangeError : TypeError);
}

function readString(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  refuse("forward", name, "must be a string", value);
}

function readOnEvent(value: ForwardOptions["onEvent"]): ForwardOptions["onEvent"] {
  if (value === undefined || typeof value === "function") return value;
  refuse("forward", "onEvent", "must be a function", value);
}

function assertTcp(name: string, listen: ListenAddress): void {
  if (listen.kind === "tcp") return;
  refuse("forward", name, "takes a TCP address to listen on", formatAddress(listen));
}

/** Refuses a target that is the forwarder itself, if that shows in the addresses. */
function assertApart(listen: ListenAddress, target: TargetAddress): void {
  const text = formatAddress(listen);
  if (text !== formatAddress(target) || (listen.kind === "tcp" && listen.port === 0)) return;
  refuse("forward", "target", "must be another address than 'listen'", text);
}
