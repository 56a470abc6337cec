// Reads the command line; for the forwarder's program alone.

import { refuse } from "../../check/refuse.ts";
import { parseListen, parseTarget } from "../address.ts";
import type { ForwardOptions } from "../options.ts";
import { parseCount, parseDuration, parseMode, parseSize } from "./units.ts";

/** How connections are logged. */
export type LogFormat = "text" | "json" | "none";

/** What the command line asks for. */
export type Command =
  | { kind: "help" }
  | { kind: "version" }
  | {
    kind: "forward";
    options: ForwardOptions;
    log: LogFormat;
    /** Whether no address was given: a first try, which is told how to go on. */
    isDefault: boolean;
  };

/** What is forwarded when no address is given. */
const DEFAULT_LISTEN = "tcp://127.0.0.1:8080";
const DEFAULT_TARGET = "echo:";

interface Draft extends ForwardOptions {
  log: LogFormat;
}

interface Flag {
  /** What `--help` calls the value; a switch has none. */
  value?: string;
  /** Lines of `--help`. */
  help: string[];
  /** Puts the value into the draft; `name` is for the error. */
  apply(draft: Draft, text: string, name: string): void;
}

const LOG_FORMATS: readonly string[] = ["text", "json", "none"] satisfies LogFormat[];

function isLogFormat(text: string): text is LogFormat {
  return LOG_FORMATS.includes(text);
}

/** The flags, in the order in which `--help` shows them. */
export const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ["--idle-timeout", {
    value: "DURATION",
    help: [
      "Cut a connection on which nothing has moved for DURATION; default:",
      "never. TCP keepalive cuts a vanished peer's, on Linux after 2 hours",
    ],
    apply: (draft, text, name) => draft.idleTimeout = parseDuration(text, name),
  }],
  ["--half-close-timeout", {
    value: "DURATION",
    help: [
      "After one side has ended, close a connection whose other side is",
      "silent for DURATION; a slow reader can look silent; default: 1h",
    ],
    apply: (draft, text, name) => draft.halfCloseTimeout = parseDuration(text, name),
  }],
  ["--half-close", {
    value: "MODE",
    help: ["At the end of one side: pass it on alone (default), or end both"],
    apply: (draft, text, name) => {
      if (text !== "pass" && text !== "end") {
        refuse("forward", name, "must be pass or end", text);
      }
      draft.halfClose = text;
    },
  }],
  ["--max-duration", {
    value: "DURATION",
    help: ["Cut a connection after DURATION, whatever moves; default: never"],
    apply: (draft, text, name) => draft.maxDuration = parseDuration(text, name),
  }],
  ["--connect-timeout", {
    value: "DURATION",
    help: ["Give up connecting to TARGET after DURATION; default: 10s"],
    apply: (draft, text, name) => draft.connectTimeout = parseDuration(text, name),
  }],
  ["--grace", {
    value: "DURATION",
    help: ["Time for open connections to finish at a shutdown; default: 10s"],
    apply: (draft, text, name) => draft.grace = parseDuration(text, name),
  }],
  ["--max-connections", {
    value: "COUNT",
    help: [
      "Serve at most COUNT connections at once; further clients wait in",
      "the system's backlog until a connection ends; default: unlimited",
    ],
    apply: (draft, text, name) => draft.maxConnections = parseCount(text, name),
  }],
  ["--workers", {
    value: "COUNT",
    help: ["Serve on COUNT threads, which share the connections; default: 1"],
    apply: (draft, text, name) => draft.workers = parseCount(text, name),
  }],
  ["--rate", {
    value: "SIZE",
    help: ["Bytes a second, each way of each connection; default: unlimited"],
    apply: (draft, text, name) => draft.rate = parseSize(text, name),
  }],
  ["--limit", {
    value: "SIZE",
    help: ["Cut a connection once one way exceeds SIZE; default: unlimited"],
    apply: (draft, text, name) => draft.limit = parseSize(text, name),
  }],
  ["--unix-mode", {
    value: "MODE",
    help: ["File mode of unix:/path as LISTEN, such as 660; default: by umask"],
    apply: (draft, text, name) => draft.unixMode = parseMode(text, name),
  }],
  ["--once", {
    help: ["Serve one connection and exit"],
    apply: (draft) => draft.once = true,
  }],
  ["--log", {
    value: "FORMAT",
    help: [
      "text (default): one line per event, on stderr; json: one object per",
      "line, on stdout; none: the address it listens on, on stderr",
    ],
    apply: (draft, text, name) => {
      if (!isLogFormat(text)) {
        refuse("forward", name, "must be text, json or none", text);
      }
      draft.log = text;
    },
  }],
  ["--log-open", {
    help: ["Log when a connection is accepted, too, and not only when it ends"],
    apply: (draft) => draft.openEvents = true,
  }],
  ["--help", { help: ["Print this and exit"], apply: () => {} }],
  ["--version", { help: ["Print the version and exit"], apply: () => {} }],
]);

/**
 * Reads the command line.
 *
 * @throws {TypeError} If an argument is unknown, missing, too many, or cannot be read.
 * @throws {RangeError} If a value is out of its range.
 */
export function parseCommand(args: readonly string[]): Command {
  if (isAsked(args, "--help") || isAsked(args, "-h")) return { kind: "help" };
  if (isAsked(args, "--version")) return { kind: "version" };
  const draft: Draft = { listen: DEFAULT_LISTEN, target: DEFAULT_TARGET, log: "text" };
  const addresses: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      addresses.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-")) {
      addresses.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = equals < 0 ? arg : arg.slice(0, equals);
    const flag = FLAGS.get(name);
    if (flag === undefined) {
      throw new TypeError(`Unknown flag '${name}': see --help`);
    }
    let text = "";
    if (flag.value === undefined) {
      if (equals >= 0) {
        refuse("forward", name, "takes no value", arg);
      }
    } else if (equals >= 0) {
      text = arg.slice(equals + 1);
    } else {
      const next = args[++i];
      if (next === undefined) {
        throw new TypeError(`Missing value after '${name}'`);
      }
      text = next;
    }
    flag.apply(draft, text, name);
  }
  return { kind: "forward", ...withAddresses(draft, addresses), isDefault: addresses.length === 0 };
}

function isAsked(args: readonly string[], flag: string): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes(flag);
}

function withAddresses(
  { log, ...options }: Draft,
  addresses: readonly string[],
): { options: ForwardOptions; log: LogFormat } {
  const [listen, target, extra] = addresses;
  if (listen === undefined) return { options, log };
  // The errors of forward() would name its options; here they are to name the arguments.
  parseListen(listen, "LISTEN");
  if (target === undefined) {
    throw new TypeError(`Missing argument TARGET after '${listen}'`);
  }
  parseTarget(target, "TARGET");
  if (extra !== undefined) {
    throw new TypeError(`Unexpected argument '${extra}'`);
  }
  return { options: { ...options, listen, target }, log };
}
