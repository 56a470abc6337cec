// Listens on a TCP address or a Unix socket; for the forwarder alone.

import { formatAddress } from "./address.ts";
import { messageOf } from "./plain_message.ts";
import type { Settings } from "./options.ts";
import { clearWay, UnixListener } from "./unix_listener.ts";

/** What accepts connections. */
export type Listener = Deno.Listener<Deno.TcpConn> | UnixListener;

/** The kernel lowers it to its own maximum; Deno's 511 overflows when clients come all at once. */
const BACKLOG = 4096;

/**
 * Codes with which accepting fails for the one connection's sake: it was reset or given up before it
 * was accepted, or brings a network error of its own (https://man7.org/linux/man-pages/man2/accept.2.html).
 */
const OF_ONE_CONNECTION: ReadonlySet<unknown> = new Set([
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
 * Whether a failed accept says nothing of the next one. Any other failure comes again at once, as
 * running out of file descriptors or memory does.
 */
export function concernsOneConnection(error: unknown): boolean {
  return error instanceof Error && "code" in error && OF_ONE_CONNECTION.has(error.code);
}

/**
 * Listens. A Unix socket that nobody listens on any more is replaced; its file goes when the listener
 * is closed.
 *
 * @throws {TypeError} If the path of a Unix socket is taken by something else.
 */
export async function listen({ listen, unixMode, reusePort }: Settings): Promise<Listener> {
  try {
    if (listen.kind === "unix") {
      await clearWay(listen);
      return new UnixListener(listen, unixMode);
    }
    const { hostname, port } = listen;
    const options = { hostname, port, tcpBacklog: BACKLOG };
    if (!reusePort) return Deno.listen(options);
    // It would end the process (Deno 2.9).
    if (!("listenDatagram" in Deno)) throw new Error("a shared port needs Deno's --unstable-net");
    return Deno.listen({ ...options, reusePort });
  } catch (error) {
    if (error instanceof TypeError) throw error;
    throw new Error(`Cannot listen on ${formatAddress(listen)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
