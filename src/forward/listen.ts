import { formatAddress, type ListenAddress, type UnixAddress } from "./address.ts";
import { messageOf } from "./failure.ts";

/** What accepts connections. */
export type Listener = Deno.Listener<Deno.TcpConn> | Deno.Listener<Deno.UnixConn>;

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
 *
 * @param error What accepting threw.
 * @returns Whether to go on at once.
 */
export function concernsOneConnection(error: unknown): boolean {
  return error instanceof Error && "code" in error && OF_ONE_CONNECTION.has(error.code);
}

/**
 * Listens. A Unix socket that nobody listens on any more is replaced; the platform removes the
 * socket's file when the listener is closed.
 *
 * @param address Where.
 * @param reusePort Whether others may listen on the same port.
 * @returns The listener.
 * @throws {TypeError} If the path of a Unix socket is taken by something else.
 */
export async function listen(address: ListenAddress, reusePort: boolean): Promise<Listener> {
  try {
    if (address.kind === "unix") return await listenUnix(address);
    const { hostname, port } = address;
    const options = { hostname, port, tcpBacklog: BACKLOG };
    if (!reusePort) return Deno.listen(options);
    // It would end the process (Deno 2.9).
    if (!("listenDatagram" in Deno)) throw new Error("a shared port needs Deno's --unstable-net");
    return Deno.listen({ ...options, reusePort });
  } catch (error) {
    if (error instanceof TypeError) throw error;
    throw new Error(`Cannot listen on ${formatAddress(address)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function listenUnix({ path }: UnixAddress): Promise<Listener> {
  const options = { transport: "unix", path } as const;
  try {
    return Deno.listen(options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    if (!Deno.lstatSync(path).isSocket) {
      throw new TypeError(
        `Cannot listen on unix:${path} as the path must be free or a socket: ` +
          "something else is there, and it is left alone",
      );
    }
    if (await isLive(path)) throw error;
  }
  Deno.removeSync(path);
  return Deno.listen(options);
}

/** Whether somebody listens on a socket; only a refusal says that nobody does. */
async function isLive(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.ConnectionRefused);
  }
}
