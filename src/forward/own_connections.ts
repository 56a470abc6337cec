// A table of the connections that a forwarder may have made to itself; for `loop_guard.ts` and workers.

const PORTS = 65536;
/** For how many turns at most an accepted connection waits for dials of this thread. */
const MAX_TURNS = 20;

/**
 * Recognises connections from a forwarder to itself by where they come from. Comparing the target's address
 * with the listener's is not enough: a name may lead anywhere, and beside a listener on 0.0.0.0 another
 * process may listen on one address of the same port.
 *
 * Every worker notes what it dials and what it accepts in memory that all workers share. The dialing side and
 * the accepting side of a connection each note it first, and look for the other side's note only then: so at
 * least one of the two finds both notes.
 */
export class OwnConnections {
  /** For each local port the hash of the connection that was dialed from it; 0 for none. */
  readonly #dialed: Int32Array;
  /** For each remote port the hash of the connection that was accepted from it; 0 for none. */
  readonly #accepted: Int32Array;
  /** How many dials of this thread are under way. */
  #dials = 0;

  /** All workers of a forwarder are to use the same `memory`, made by {@linkcode OwnConnections.allocate}. */
  constructor(memory: SharedArrayBuffer) {
    this.#dialed = new Int32Array(memory, 0, PORTS);
    this.#accepted = new Int32Array(memory, PORTS * 4, PORTS);
  }

  /** Allocates the shared memory: 512 KiB, of which the system provides only the pages that are used. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(2 * PORTS * 4);
  }

  /** Notes an accepted connection. Returns whether this forwarder has dialed it. */
  async noteAccepted(client: Deno.Conn): Promise<boolean> {
    // Lets this thread note a dial that has just succeeded, so that its own connection is refused here,
    // before the target is dialed for it once more. A busy thread may hear of the dial some turns later.
    if (isFromHere(client)) {
      let turn = 0;
      do await new Promise((resolve) => setTimeout(resolve)); while (
        this.#dials > 0 && ++turn < MAX_TURNS
      );
    }
    const { port, hash } = originOf(client.remoteAddr, client.localAddr);
    Atomics.store(this.#accepted, port, hash);
    return Atomics.load(this.#dialed, port) === hash;
  }

  /** A dial of this thread begins. */
  beginDial(): void {
    this.#dials++;
  }

  /** A dial of this thread has failed, or has been noted. */
  endDial(): void {
    this.#dials--;
  }

  /** Returns whether this forwarder has accepted a dialed connection; if not, notes the connection. */
  noteDialed(target: Deno.Conn): boolean {
    const { port, hash } = originOf(target.localAddr, target.remoteAddr);
    Atomics.store(this.#dialed, port, hash);
    const isOwn = Atomics.load(this.#accepted, port) === hash;
    if (isOwn) Atomics.store(this.#dialed, port, 0);
    return isOwn;
  }

  /**
   * Forgets an accepted connection and, unless it is `undefined`, the connection dialed for it. Returns
   * whether this forwarder has accepted the dialed connection.
   */
  forget(client: Deno.Conn, target: Deno.Conn | undefined): boolean {
    const accepted = originOf(client.remoteAddr, client.localAddr);
    Atomics.compareExchange(this.#accepted, accepted.port, accepted.hash, 0);
    if (target === undefined) return false;
    const { port, hash } = originOf(target.localAddr, target.remoteAddr);
    Atomics.compareExchange(this.#dialed, port, hash, 0);
    return Atomics.compareExchange(this.#accepted, port, hash, 0) === hash;
  }
}

/** Whether a connection may come from this machine: only then this forwarder may have dialed it. */
function isFromHere({ remoteAddr, localAddr }: Deno.Conn): boolean {
  const { hostname } = remoteAddr as Deno.NetAddr;
  return hostname === (localAddr as Deno.NetAddr).hostname || /^(::ffff:)?127\./.test(hostname);
}

/**
 * The port that a connection was dialed from, and a hash (FNV-1a) of the IP addresses of both sides, never 0.
 * The hash is needed as connections to several addresses may share their local port.
 */
function originOf(from: Deno.Addr, to: Deno.Addr): { port: number; hash: number } {
  let hash = 0x811c9dc5;
  for (const { hostname } of [from as Deno.NetAddr, to as Deno.NetAddr]) {
    // A listener on [::] reports IPv4 peers with the prefix, whereas dialing reports them without.
    const ip = hostname.replace(/^::ffff:/, "");
    for (let i = 0; i < ip.length; i++) hash = Math.imul(hash ^ ip.charCodeAt(i), 0x01000193);
  }
  return { port: (from as Deno.NetAddr).port, hash: hash | 1 };
}
