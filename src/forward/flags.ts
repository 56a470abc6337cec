import { parseListen, parseTarget } from "./address.ts";
import type { ForwardOptions } from "./options.ts";
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
      "Cut a connection on which nothing moved for so long; default never;",
      "TCP keepalive ends one whose peer is gone, on Linux after 2 hours",
    ],
    apply: (draft, text, name) => draft.idleTimeout = parseDuration(text, name),
  }],
  ["--half-close-timeout", {
    value: "DURATION",
    help: [
      "Once one side has sent all it has, close when the other was silent",
      "for so long; a slow reader can look silent; default 1h",
    ],
    apply: (draft, text, name) => draft.halfCloseTimeout = parseDuration(text, name),
  }],
  ["--half-close", {
    value: "MODE",
    help: ["The end of one side: pass (default) it on alone, or end both"],
    apply: (draft, text, name) => {
      if (text !== "pass" && text !== "end") {
        throw new TypeError(`Cannot use ${name} as it must be pass or end: got '${text}'`);
      }
      draft.halfClose = text;
    },
  }],
  ["--max-duration", {
    value: "DURATION",
    help: ["Cut a connection after so long, whatever moves; default never"],
    apply: (draft, text, name) => draft.maxDuration = parseDuration(text, name),
  }],
  ["--connect-timeout", {
    value: "DURATION",
    help: ["Give up on connecting to TARGET after so long; default 10s"],
    apply: (draft, text, name) => draft.connectTimeout = parseDuration(text, name),
  }],
  ["--grace", {
    value: "DURATION",
    help: ["What open connections get to finish at a shutdown; default 10s"],
    apply: (draft, text, name) => draft.grace = parseDuration(text, name),
  }],
  ["--max-connections", {
    value: "COUNT",
    help: [
      "Serve at most so many at once. At the maximum none is accepted",
      "until one ends, clients wait in the system's backlog; default any",
    ],
    apply: (draft, text, name) => draft.maxConnections = parseCount(text, name),
  }],
  ["--workers", {
    value: "COUNT",
    help: ["Serve by so many threads, each on a core of its own; default 1"],
    apply: (draft, text, name) => draft.workers = parseCount(text, name),
  }],
  ["--rate", {
    value: "SIZE",
    help: ["Bytes a second in each direction of each connection; default any"],
    apply: (draft, text, name) => draft.rate = parseSize(text, name),
  }],
  ["--limit", {
    value: "SIZE",
    help: ["Cut a connection when more than so much comes in a direction"],
    apply: (draft, text, name) => draft.limit = parseSize(text, name),
  }],
  ["--unix-mode", {
    value: "MODE",
    help: ["Who may connect to unix:/path, such as 660; default as umask has it"],
    apply: (draft, text, name) => draft.unixMode = parseMode(text, name),
  }],
  ["--once", {
    help: ["Serve one connection and exit"],
    apply: (draft) => draft.once = true,
  }],
  ["--log", {
    value: "FORMAT",
    help: [
      "text (default): a line an event on stderr; json: an object a line",
      "on stdout; none: only where it listens, on stderr",
    ],
    apply: (draft, text, name) => {
      if (!isLogFormat(text)) {
        throw new TypeError(`Cannot use ${name} as it must be text, json or none: got '${text}'`);
      }
      draft.log = text;
    },
  }],
  ["--log-open", {
    help: ["Log a connection when it is accepted as well, not only its end"],
    apply: (draft) => draft.openEvents = true,
  }],
  ["--help", { help: ["Print this and exit"], apply: () => {} }],
  ["--version", { help: ["Print the version and exit"], apply: () => {} }],
]);

/**
 * Reads the command line.
 *
 * @param args The arguments, without the program's name.
 * @returns What they ask for.
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
      throw new TypeError(`Cannot use '${name}' as there is no such flag: see --help`);
    }
    let text = "";
    if (flag.value === undefined) {
      if (equals >= 0) {
        throw new TypeError(`Cannot use ${name} as it takes no value: got '${arg}'`);
      }
    } else if (equals >= 0) {
      text = arg.slice(equals + 1);
    } else {
      const next = args[++i];
      if (next === undefined) {
        throw new TypeError(`Cannot use ${name} as it needs a value: got nothing after it`);
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
    throw new TypeError(`Cannot forward as TARGET is missing: got only LISTEN, '${listen}'`);
  }
  parseTarget(target, "TARGET");
  if (extra !== undefined) {
    throw new TypeError(`Cannot forward as LISTEN and TARGET must be all: got '${extra}' as well`);
  }
  return { options: { ...options, listen, target }, log };
}
