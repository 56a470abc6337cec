// Connects to a target; for sessions alone.

import type { TcpAddress, UnixAddress } from "./address.ts";
import { ITSELF } from "./own_connections.ts";

/** How long to leave a Unix listener whose backlog is full. */
const UNIX_RETRY = 10;

/** Whether a connection leads to the forwarder that has made it; without one, whether it would. */
export type LeadsHere = (conn?: Deno.Conn) => boolean;

/**
 * Connects to a target's address within `timeout` milliseconds. Aborting `controller` gives up; at the
 * timeout it is aborted with a `TimeoutError`.
 */
export async function dial(
  address: TcpAddress | UnixAddress,
  timeout: number,
  controller: AbortController,
  leadsHere: LeadsHere,
): Promise<Deno.TcpConn | Deno.UnixConn> {
  if (address.kind === "unix") {
    if (leadsHere()) throw new Error(ITSELF);
    return await dialUnix(address.path, timeout, controller.signal);
  }
  const { hostname, port } = address;
  const { signal } = controller;
  const timer = timeout === Infinity ? undefined : setTimeout(() => {
    controller.abort(timeoutError(timeout));
  }, timeout);
  try {
    const conn = await Deno.connect({ hostname, port, signal });
    if (signal.aborted) {
      conn.close();
      throw signal.reason;
    }
    if (leadsHere(conn)) {
      conn.close();
      throw new Error(ITSELF);
    }
    return conn;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Connecting to a Unix socket never waits: where the backlog is full it fails at once, so the
 * waiting that a TCP connection would do is done here.
 */
async function dialUnix(
  path: string,
  timeout: number,
  signal: AbortSignal,
): Promise<Deno.UnixConn> {
  const start = performance.now();
  while (true) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    }
    if (performance.now() - start >= timeout) throw timeoutError(timeout);
    await new Promise((resolve) => setTimeout(resolve, UNIX_RETRY));
    signal.throwIfAborted();
  }
}

function timeoutError(timeout: number): DOMException {
  return new DOMException(`no answer within ${timeout} ms`, "TimeoutError");
}
