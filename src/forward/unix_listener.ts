// A listening Unix socket; for `listen.ts` alone.

import type { UnixAddress } from "./address.ts";

/** `sun_path` of Linux without its final zero. */
const LONGEST_PATH = 107;

/**
 * A Unix socket that is listened on.
 *
 * It is bound in a directory that no other user can enter, gets its mode there, and only then its name,
 * by a hard link. So it is never open to more than its mode says, whatever the umask; two processes
 * cannot both take the name; and closing leaves a file alone that has taken it since: the platform
 * removes the name that was bound, whoever has it by then (Deno 2.9). As haproxy's, the socket shows
 * the bound name to those who ask the system for it.
 */
export class UnixListener {
  /** Where it listens. */
  readonly addr: Deno.UnixAddr;
  readonly #listener: Deno.UnixListener;
  readonly #file: Deno.FileInfo;

  /** Nothing may be at the path. Without a mode the umask decides. */
  constructor({ path }: UnixAddress, mode: number | undefined) {
    this.addr = { transport: "unix", path };
    const directory = privateName(path);
    const bound = `${directory}/s`;
    let listener: Deno.UnixListener | undefined;
    Deno.mkdirSync(directory, { mode: 0o700 });
    try {
      listener = Deno.listen({ transport: "unix", path: bound });
      if (mode !== undefined) Deno.chmodSync(bound, mode);
      this.#file = Deno.lstatSync(bound);
      Deno.linkSync(bound, path);
    } catch (error) {
      listener?.close();
      throw error instanceof Deno.errors.AlreadyExists ? inUse() : error;
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
    this.#listener = listener;
  }

  /** Waits for a connection. */
  accept(): Promise<Deno.UnixConn> {
    return this.#listener.accept();
  }

  /** Whether a target's path leads to this socket. */
  isAt(path: string): boolean {
    try {
      return isSame(Deno.statSync(path), this.#file);
    } catch {
      return false;
    }
  }

  /** Stops listening, and removes the socket's file, if it still is this one's. */
  close(): void {
    const { path } = this.addr;
    try {
      if (isSame(Deno.lstatSync(path), this.#file)) Deno.removeSync(path);
    } catch {
      // Somebody else was faster, or may not: then it is stale, and the next one replaces it.
    }
    this.#listener.close();
  }
}

/**
 * Makes way for a socket: removes one that nobody listens on any more.
 *
 * @throws {TypeError} If something else is there.
 * @throws {Deno.errors.AddrInUse} If somebody listens there.
 */
export async function clearWay({ path }: UnixAddress): Promise<void> {
  const file = lookAt(path);
  if (file === undefined) return;
  if (!file.isSocket) {
    throw new TypeError(
      `Cannot listen on unix:${path} as the path must be free or a socket: ` +
        "something else is there, and it is left alone",
    );
  }
  if (await isLive(path)) throw inUse();
  // Somebody else may have replaced it meanwhile.
  const now = lookAt(path);
  if (now !== undefined && isSame(now, file)) Deno.removeSync(path);
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
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

function isSame(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** A name beside the path's, which with a socket of one letter in it is no longer than allowed. */
function privateName(path: string): string {
  const parent = path.slice(0, path.lastIndexOf("/") + 1);
  const room = LONGEST_PATH - new TextEncoder().encode(parent).length - "./s".length;
  const random = crypto.randomUUID().replaceAll("-", "");
  return `${parent}.${random.slice(0, Math.min(Math.max(room, 1), 12))}`;
}

function inUse(): Error {
  return new Deno.errors.AddrInUse("Address already in use");
}
