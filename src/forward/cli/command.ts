// Reads the command line; for `program.ts` alone.

import { refuse } from "../../check/refuse.ts";
import { parseListen, parseTarget } from "../address.ts";
import type { ForwardOptions } from "../options.ts";
import { FLAGS, type FlagSettings, type LogFormat } from "./flags.ts";

/** What the command line asks for. */
export type Command =
  | { kind: "help" }
  | { kind: "version" }
  | {
    kind: "forward";
    options: ForwardOptions;
    log: LogFormat;
    /** Whether no address was given, as in a first try: then the program says how to connect. */
    isDefault: boolean;
  };

/** What is forwarded when no address is given. */
const DEFAULT_ADDRESSES = { listen: "tcp://127.0.0.1:8080", target: "echo:" };

/**
 * Reads the command line.
 *
 * @throws {TypeError} If an argument is unknown, missing, too many, or cannot be read.
 * @throws {RangeError} If a value is out of its range.
 */
export function parseCommand(args: readonly string[]): Command {
  if (isAsked(args, "--help") || isAsked(args, "-h")) return { kind: "help" };
  if (isAsked(args, "--version")) return { kind: "version" };
  const { settings: { log = "text", ...options }, texts } = parseArguments(args);
  const addresses = parseAddresses(texts);
  return {
    kind: "forward",
    options: { ...options, ...addresses ?? DEFAULT_ADDRESSES },
    log,
    isDefault: addresses === undefined,
  };
}

/** Whether a flag is given, even in the place of a value or beside mistakes. */
function isAsked(args: readonly string[], flag: string): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes(flag);
}

/** Tells flags, with their values, from the other arguments: the texts of addresses. */
function parseArguments(
  args: readonly string[],
): { settings: FlagSettings; texts: readonly string[] } {
  let settings: FlagSettings = {};
  const texts: string[] = [];
  const rest = [...args];
  for (let arg; (arg = rest.shift()) !== undefined;) {
    if (arg === "--") texts.push(...rest.splice(0));
    else if (!arg.startsWith("-")) texts.push(arg);
    else settings = { ...settings, ...parseFlag(arg, rest) };
  }
  return { settings, texts };
}

/** Returns what a flag sets. Removes its value from `following`, unless it is given as `--flag=value`. */
function parseFlag(arg: string, following: string[]): FlagSettings {
  const equals = arg.indexOf("=");
  const name = equals < 0 ? arg : arg.slice(0, equals);
  const flag = FLAGS.get(name);
  if (flag === undefined) throw new TypeError(`Unknown flag '${name}': see --help`);
  if (flag.kind === "switch") {
    if (equals >= 0) refuse("forward", name, "takes no value", arg);
    return flag.settings;
  }
  const text = equals < 0 ? following.shift() : arg.slice(equals + 1);
  if (text === undefined) throw new TypeError(`Missing value after '${name}'`);
  return flag.parse(text, name);
}

/** Checks the two addresses, so that errors name the arguments; `undefined` if there are none. */
function parseAddresses(texts: readonly string[]): { listen: string; target: string } | undefined {
  const [listen, target, extra] = texts;
  if (listen === undefined) return undefined;
  parseListen(listen, "LISTEN");
  if (target === undefined) throw new TypeError(`Missing argument TARGET after '${listen}'`);
  parseTarget(target, "TARGET");
  if (extra !== undefined) throw new TypeError(`Unexpected argument '${extra}'`);
  return { listen, target };
}
