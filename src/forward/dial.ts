// Connects to a target; for sessions alone.

import type { TcpAddress, UnixAddress } from "./address.ts";
import { IS_ITSELF, type LoopGuard } from "./loop_guard.ts";

/** How long to wait before dialing a Unix listener with a full backlog again, in ms. */
const UNIX_RETRY = 10;

/**
 * Connects to a target's address. Rejects once `controller` aborts, with a `TimeoutError` after `timeout`
 * milliseconds, at which it may abort `controller` itself, and if the target is the forwarder itself.
 */
export function dial(
  address: TcpAddress | UnixAddress,
  timeout: number,
  controller: AbortController,
  guard: LoopGuard,
): Promise<Deno.TcpConn | Deno.UnixConn> {
  return address.kind === "tcp"
    ? dialTcp(address, timeout, controller, guard)
    : dialUnix(address, timeout, controller.signal, guard);
}

async function dialTcp(
  { hostname, port }: TcpAddress,
  timeout: number,
  controller: AbortController,
  guard: LoopGuard,
): Promise<Deno.TcpConn> {
  const { signal } = controller;
  const timer = timeout === Infinity
    ? undefined
    : setTimeout(() => controller.abort(timeoutError(timeout)), timeout);
  guard.beginDial();
  try {
    const conn = await Deno.connect({ hostname, port, signal });
    if (signal.aborted) {
      conn.close();
      throw signal.reason;
    }
    if (guard.noteDialed(conn)) {
      conn.close();
      throw new Error(IS_ITSELF);
    }
    return conn;
  } finally {
    guard.endDial();
    clearTimeout(timer);
  }
}

/**
 * Connecting to a Unix socket never waits: where the backlog is full it fails at once. So the waiting that
 * the system does for a TCP connection is done here.
 */
async function dialUnix(
  { path }: UnixAddress,
  timeout: number,
  signal: AbortSignal,
  guard: LoopGuard,
): Promise<Deno.UnixConn> {
  if (guard.isOwnSocket(path)) throw new Error(IS_ITSELF);
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
