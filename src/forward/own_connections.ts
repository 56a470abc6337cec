// Knows connections that a forwarder has made to itself; for the forwarder alone.

/** What connecting to such a target fails with. */
export const ITSELF = "that is this forwarder itself";

const PORTS = 65536;

/**
 * Tells connections that the forwarder has made to itself, which it would forward to itself again,
 * until no file descriptor is left. The two addresses do not tell them: a name may lead anywhere, and
 * beside 0.0.0.0 another process may listen on one address of the port. So where own connections come
 * from is compared with where accepted ones come from, across all workers: each side notes its own
 * before it looks for the other's, so that one of them sees both.
 */
export class OwnConnections {
  /** For each port a number for the IP addresses of a connection dialed from it; 0 for none. */
  readonly #dialed: Int32Array;
  /** The same for connections accepted from it. */
  readonly #accepted: Int32Array;

  /** `memory` is what all workers share, made by {@linkcode OwnConnections.memory}. */
  constructor(memory: SharedArrayBuffer) {
    this.#dialed = new Int32Array(memory, 0, PORTS);
    this.#accepted = new Int32Array(memory, PORTS * 4, PORTS);
  }

  /** Creates what workers share; the system gives it room only where it is used. */
  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(2 * PORTS * 4);
  }

  /** Notes an accepted connection. Returns whether this forwarder has dialed it. */
  async accepted(client: Deno.Conn): Promise<boolean> {
    if (isFromHere(client)) await new Promise((resolve) => setTimeout(resolve));
    const [port, ips] = place(client.remoteAddr, client.localAddr);
    Atomics.store(this.#accepted, port, ips);
    return Atomics.load(this.#dialed, port) === ips;
  }

  /** Notes a dialed connection, unless this forwarder has accepted it: returns whether it has. */
  dialed(target: Deno.Conn): boolean {
    const [port, ips] = place(target.localAddr, target.remoteAddr);
    Atomics.store(this.#dialed, port, ips);
    const isOwn = Atomics.load(this.#accepted, port) === ips;
    if (isOwn) Atomics.store(this.#dialed, port, 0);
    return isOwn;
  }

  /**
   * Forgets a session's accepted and, if there was one, dialed connection. Returns whether this
   * forwarder has accepted the dialed one.
   */
  ended(client: Deno.Conn, target: Deno.Conn | undefined): boolean {
    const [port, ips] = place(client.remoteAddr, client.localAddr);
    Atomics.compareExchange(this.#accepted, port, ips, 0);
    if (target === undefined) return false;
    const [ownPort, ownIps] = place(target.localAddr, target.remoteAddr);
    Atomics.compareExchange(this.#dialed, ownPort, ownIps, 0);
    return Atomics.compareExchange(this.#accepted, ownPort, ownIps, 0) === ownIps;
  }
}

/** Whether it may be an own one. */
function isFromHere({ remoteAddr, localAddr }: Deno.Conn): boolean {
  const { hostname } = remoteAddr as Deno.NetAddr;
  return hostname === (localAddr as Deno.NetAddr).hostname || /^(::ffff:)?127\./.test(hostname);
}

/**
 * The port of a connection's one side, and a number other than 0 for the IP addresses of both (FNV-1a):
 * connections to several addresses may all come from one port.
 */
function place(from: Deno.Addr, to: Deno.Addr): [port: number, ips: number] {
  let hash = 0x811c9dc5;
  for (const { hostname } of [from as Deno.NetAddr, to as Deno.NetAddr]) {
    // A listener on [::] names IPv4 peers with this before.
    const ip = hostname.replace(/^::ffff:/, "");
    for (let i = 0; i < ip.length; i++) hash = Math.imul(hash ^ ip.charCodeAt(i), 0x01000193);
  }
  return [(from as Deno.NetAddr).port, hash | 1];
}
