// Listens on a Unix socket; for `listen.ts` alone.

import { refuse } from "../check/refuse.ts";
import { formatAddress, MAX_UNIX_PATH, type UnixAddress } from "./address.ts";

/**
 * A Unix socket that is listened on.
 *
 * The socket is bound in a directory that no other user can enter, gets its mode there, and only then its
 * name, by a hard link. This has three reasons: the socket is never open to more users than its mode says,
 * whatever the umask; two processes cannot both take the name; and closing leaves a file alone that has
 * replaced the socket since, whereas Deno 2.9 removes the name that was bound, whoever has it by then.
 * Whoever asks the system for the socket's address gets the bound name, as with haproxy.
 */
export class UnixListener {
  /** Where it listens. */
  readonly addr: Deno.UnixAddr;
  readonly #listener: Deno.UnixListener;
  readonly #file: Deno.FileInfo;

  private constructor({ path }: UnixAddress, mode: number | undefined) {
    this.addr = { transport: "unix", path };
    const directory = privateDirectoryFor(path);
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
      throw error instanceof Deno.errors.AlreadyExists ? addressInUse() : error;
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
    this.#listener = listener;
  }

  /**
   * Listens on a path, whose file gets `mode`, or a mode by the umask. Replaces a socket on which nobody
   * listens any more.
   *
   * @throws {TypeError} If the path belongs to a file that is no socket.
   * @throws {Deno.errors.AddrInUse} If somebody listens there.
   */
  static async open(address: UnixAddress, mode: number | undefined): Promise<UnixListener> {
    await removeStaleSocket(address);
    return new UnixListener(address, mode);
  }

  /** Waits for a connection. */
  accept(): Promise<Deno.UnixConn> {
    return this.#listener.accept();
  }

  /** Whether a path leads to this socket. */
  isAt(path: string): boolean {
    try {
      return isSameFile(Deno.statSync(path), this.#file);
    } catch {
      return false;
    }
  }

  /** Stops listening, and removes the socket's file, unless another file has replaced it. */
  close(): void {
    const { path } = this.addr;
    try {
      if (isSameFile(Deno.lstatSync(path), this.#file)) Deno.removeSync(path);
    } catch {
      // The file is gone, or may not be removed: then it is stale, and the next listener replaces it.
    }
    this.#listener.close();
  }
}

async function removeStaleSocket(address: UnixAddress): Promise<void> {
  const { path } = address;
  const file = lstat(path);
  if (file === undefined) return;
  if (!file.isSocket) {
    refuse("forward", "listen", "must name a socket or no file yet", formatAddress(address));
  }
  if (await isListenedOn(path)) throw addressInUse();
  // Another process may have replaced the file meanwhile.
  const now = lstat(path);
  if (now !== undefined && isSameFile(now, file)) Deno.removeSync(path);
}

/** What is at a path, if anything is. */
function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Only a refusal says that nobody listens; any other failure leaves it open. */
async function isListenedOn(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.ConnectionRefused);
  }
}

function isSameFile(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** A random name beside the path, short enough that the path of a socket in it, `/s`, is not too long. */
function privateDirectoryFor(path: string): string {
  const parent = path.slice(0, path.lastIndexOf("/") + 1);
  const room = MAX_UNIX_PATH - new TextEncoder().encode(parent).length - "./s".length;
  const random = crypto.randomUUID().replaceAll("-", "");
  return `${parent}.${random.slice(0, Math.min(Math.max(room, 1), 12))}`;
}

function addressInUse(): Error {
  return new Deno.errors.AddrInUse("Address already in use");
}
