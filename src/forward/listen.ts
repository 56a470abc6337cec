// Listens on a TCP address or a Unix socket; for the forwarder alone.

import { formatAddress } from "./address.ts";
import { plainMessage } from "./plain_message.ts";
import type { Settings } from "./settings.ts";
import { UnixListener } from "./unix_listener.ts";

/** Accepts connections until it is closed. */
export type Listener = Deno.Listener<Deno.TcpConn> | UnixListener;

/**
 * How many clients may wait to be accepted. The kernel lowers the number to its own maximum; Deno's default,
 * 511, overflows when thousands of clients come at once.
 */
const BACKLOG = 4096;

/**
 * Codes with which accept(2) fails because of one connection: its client has reset it or given it up, or the
 * connection has a network error pending (https://man7.org/linux/man-pages/man2/accept.2.html).
 */
const CODES_OF_ONE_CONNECTION: ReadonlySet<unknown> = new Set([
  "ENOTCONN",
  "ECONNABORTED",
  "ECONNRESET",
  "EPROTO",
  "EPERM",
  "ETIMEDOUT",
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENOPROTOOPT",
  "EOPNOTSUPP",
  "EINTR",
]);

/**
 * Whether accepting has failed because of one connection, so that the next connection may be accepted at
 * once. Any other failure would come again at once, as when file descriptors or memory have run out.
 */
export function concernsOneConnection(error: unknown): boolean {
  return error instanceof Error && "code" in error && CODES_OF_ONE_CONNECTION.has(error.code);
}

/**
 * Listens on the address of the settings. Replaces a Unix socket on which nobody listens any more.
 *
 * @throws {TypeError} If the path of a Unix socket belongs to a file that is no socket.
 * @throws {Error} If the system refuses; the message names the address.
 */
export async function listen({ listen, unixMode, reusePort }: Settings): Promise<Listener> {
  try {
    if (listen.kind === "unix") return await UnixListener.open(listen, unixMode);
    const { hostname, port } = listen;
    const options = { hostname, port, tcpBacklog: BACKLOG };
    if (!reusePort) return Deno.listen(options);
    // Without the flag, which shows in `listenDatagram`, `reusePort` would end the process (Deno 2.9).
    if (!("listenDatagram" in Deno)) throw new Error("a shared port needs Deno's --unstable-net");
    return Deno.listen({ ...options, reusePort });
  } catch (error) {
    if (error instanceof TypeError) throw error;
    throw new Error(`Cannot listen on ${formatAddress(listen)}: ${plainMessage(error)}`, {
      cause: error,
    });
  }
}
