// The flags of the command line; for `command.ts` and `help.ts`.

import type { ForwardOptions } from "../options.ts";
import { parseCount, parseDuration, parseMode, parseSize, parseWord } from "./values.ts";

/** How events are logged. */
export type LogFormat = "text" | "json" | "none";

/** What flags can set: options of the forwarder, and what concerns the program alone. */
export interface FlagSettings extends Partial<ForwardOptions> {
  log?: LogFormat;
}

/** A flag of the command line. */
export type Flag = Switch | FlagWithValue;

/** A flag without a value. */
interface Switch {
  readonly kind: "switch";
  /** Lines of `--help`. */
  readonly help: readonly string[];
  /** What the flag sets. */
  readonly settings: FlagSettings;
}

/** A flag with a value. */
interface FlagWithValue {
  readonly kind: "value";
  /** What `--help` calls the value. */
  readonly placeholder: string;
  /** Lines of `--help`. */
  readonly help: readonly string[];
  /** Returns what the flag sets; throws if it cannot have this value. The error names the flag as `name`. */
  parse(text: string, name: string): FlagSettings;
}

/** The flags, in the order in which `--help` shows them. */
export const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ["--idle-timeout", {
    kind: "value",
    placeholder: "DURATION",
    help: [
      "Cut a connection on which nothing has moved for DURATION; default:",
      "never. TCP keepalive cuts vanished peers, on Linux after 2 hours",
    ],
    parse: (text, name) => ({ idleTimeout: parseDuration(text, name) }),
  }],
  ["--half-close-timeout", {
    kind: "value",
    placeholder: "DURATION",
    help: [
      "After one side has ended, close a connection whose other side is",
      "silent for DURATION; a slow reader can look silent; default: 1h",
    ],
    parse: (text, name) => ({ halfCloseTimeout: parseDuration(text, name) }),
  }],
  ["--half-close", {
    kind: "value",
    placeholder: "MODE",
    help: [
      "pass (default): when one side ends, the other side may go on;",
      "end: when one side ends, the connection is closed",
    ],
    parse: (text, name) => ({ halfClose: parseWord(text, name, ["pass", "end"]) }),
  }],
  ["--max-duration", {
    kind: "value",
    placeholder: "DURATION",
    help: ["Cut a connection after DURATION, whatever moves; default: never"],
    parse: (text, name) => ({ maxDuration: parseDuration(text, name) }),
  }],
  ["--connect-timeout", {
    kind: "value",
    placeholder: "DURATION",
    help: ["Give up connecting to TARGET after DURATION; default: 10s"],
    parse: (text, name) => ({ connectTimeout: parseDuration(text, name) }),
  }],
  ["--grace", {
    kind: "value",
    placeholder: "DURATION",
    help: ["Time for open connections to finish at a shutdown; default: 10s"],
    parse: (text, name) => ({ grace: parseDuration(text, name) }),
  }],
  ["--max-connections", {
    kind: "value",
    placeholder: "COUNT",
    help: [
      "Serve at most COUNT connections at once; further clients wait in",
      "the system's backlog until a connection ends; default: unlimited",
    ],
    parse: (text, name) => ({ maxConnections: parseCount(text, name) }),
  }],
  ["--workers", {
    kind: "value",
    placeholder: "COUNT",
    help: ["Serve on COUNT threads, which share the connections; default: 1"],
    parse: (text, name) => ({ workers: parseCount(text, name) }),
  }],
  ["--rate", {
    kind: "value",
    placeholder: "SIZE",
    help: ["Limit each way of a connection to SIZE a second; default: unlimited"],
    parse: (text, name) => ({ rate: parseSize(text, name) }),
  }],
  ["--limit", {
    kind: "value",
    placeholder: "SIZE",
    help: ["Cut a connection once one way exceeds SIZE; default: unlimited"],
    parse: (text, name) => ({ limit: parseSize(text, name) }),
  }],
  ["--unix-mode", {
    kind: "value",
    placeholder: "MODE",
    help: ["File mode of unix:/path as LISTEN, such as 660; default: by umask"],
    parse: (text, name) => ({ unixMode: parseMode(text, name) }),
  }],
  ["--once", {
    kind: "switch",
    help: ["Serve one connection, then exit"],
    settings: { once: true },
  }],
  ["--log", {
    kind: "value",
    placeholder: "FORMAT",
    help: [
      "text (default): one line per event, on stderr; json: one object per",
      "line, on stdout; none: the address it listens on, on stderr",
    ],
    parse: (text, name) => ({ log: parseWord(text, name, ["text", "json", "none"]) }),
  }],
  ["--log-open", {
    kind: "switch",
    help: ["Log when a connection is accepted, too, not only when it ends"],
    settings: { openEvents: true },
  }],
  ["--help", { kind: "switch", help: ["Print this text and exit"], settings: {} }],
  ["--version", { kind: "switch", help: ["Print the version and exit"], settings: {} }],
]);
