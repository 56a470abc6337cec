// Reads and writes the addresses to listen on and to forward to; for the forwarder and its program.

import { refuse } from "../check/refuse.ts";

/** A TCP address; `hostname` is bare, without the brackets of IPv6. */
export interface TcpAddress {
  kind: "tcp";
  hostname: string;
  port: number;
}

/** A Unix domain socket. */
export interface UnixAddress {
  kind: "unix";
  path: string;
}

/** An address to listen on. */
export type ListenAddress = TcpAddress | UnixAddress;

/** An address to forward to, or a built-in target. */
export type TargetAddress = ListenAddress | { kind: "echo" } | { kind: "discard" };

/** Bytes of a Unix socket's path: `sun_path` of Linux without its final zero; BSD and macOS have 4 less. */
export const MAX_UNIX_PATH = 107;

const TCP = /^tcp:\/\/(\[[^\]]*\]|[^:[\]/@]*):(\d+)$/;

/**
 * Reads an address to listen on: `tcp://host:port`, where port 0 stands for any free port, or `unix:/path`.
 * `name` is the option or argument that an error names.
 *
 * @throws {TypeError} If the text is no such address.
 * @throws {RangeError} If the port is out of its range, or the path too long.
 */
export function parseListen(text: string, name: string): ListenAddress {
  const address = parseSocket(text, name, 0);
  if (address !== undefined) return address;
  refuse("forward", name, "must be tcp://host:port or unix:/path", text);
}

/**
 * Reads an address to forward to: `tcp://host:port`, `unix:/path`, `echo:` or `discard:`. `name` is the
 * option or argument that an error names.
 *
 * @throws {TypeError} If the text is no such address.
 * @throws {RangeError} If the port is out of its range, or the path too long.
 */
export function parseTarget(text: string, name: string): TargetAddress {
  if (text === "echo:") return { kind: "echo" };
  if (text === "discard:") return { kind: "discard" };
  const address = parseSocket(text, name, 1);
  if (address !== undefined) return address;
  refuse("forward", name, "must be echo:, discard:, tcp://host:port or unix:/path", text);
}

/** Writes an address in the form that `parseListen` and `parseTarget` read. */
export function formatAddress(address: TargetAddress): string {
  switch (address.kind) {
    case "tcp":
      return formatTcp(address.hostname, address.port);
    case "unix":
      return `unix:${address.path}`;
    default:
      return `${address.kind}:`;
  }
}

/** Writes an address that Deno has reported. */
export function formatDenoAddress(address: Deno.Addr): string {
  if ("path" in address) return `unix:${address.path}`;
  if ("hostname" in address) return formatTcp(address.hostname, address.port);
  return `${address.transport}:`;
}

function formatTcp(hostname: string, port: number): string {
  return `tcp://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** Returns `undefined` if the text has neither form; throws if it has one, but holds a bad value. */
function parseSocket(text: string, name: string, minPort: number): ListenAddress | undefined {
  if (text.startsWith("unix:")) return { kind: "unix", path: parsePath(text, name) };
  const [, host, digits] = TCP.exec(text) ?? [];
  if (host === undefined || digits === undefined) return undefined;
  const port = Number(digits);
  if (port < minPort || port > 65535) {
    refuse("forward", name, `must have a port of ${minPort} to 65535`, text, RangeError);
  }
  return { kind: "tcp", hostname: parseHost(host, text, name), port };
}

function parseHost(host: string, text: string, name: string): string {
  // URL knows all forms of IPv4 and IPv6 addresses.
  const isHost = host !== "" && URL.canParse(`http://${host}/`) && !/[%?#\\\s]/.test(host);
  if (!isHost) {
    refuse("forward", name, "must have a host: a name, an IPv4 or an [IPv6] address", text);
  }
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

function parsePath(text: string, name: string): string {
  let path = text.slice("unix:".length);
  if (path.startsWith("//")) {
    // unix:///run/x is the URL's way to write /run/x; unix://run/x would name a host.
    path = path.startsWith("///") ? path.slice(2) : "";
  }
  const bytes = new TextEncoder().encode(path).length;
  if (path === "" || path.includes("\0")) {
    refuse("forward", name, "must be unix: and a path", text);
  }
  if (bytes > MAX_UNIX_PATH) {
    const rule = `must have a path of at most ${MAX_UNIX_PATH} bytes, not ${bytes}`;
    refuse("forward", name, rule, text, RangeError);
  }
  return path;
}
