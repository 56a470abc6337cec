/**
 * Commands the peer, from any runtime; all it needs is `fetch`. Where there is none, on Deno, it starts
 * one.
 *
 * A far end is got in one of two ways:
 *
 * ```ts ignore
 * const far = await listen("tcp", { paused: true }); // The test connects to it, once.
 * const socket = net.connect(far.address.port, far.address.hostname);
 *
 * const far = await dial("tcp", { port }); // It connects to the test.
 * ```
 *
 * and has the verbs of {@linkcode Far}, in their order:
 *
 * ```ts ignore
 * await using far = await listen("websocket"); // or `await far.dispose()` at the end
 * const sent = far.send({ bytes: 1 << 20, seed: 7 }); // fulfils once all of it is in the kernel
 * await far.finish(); // after what is being sent: FIN, close with 1000
 * const { hash, ended } = await far.until({ ended: true });
 * assertEquals(hash, hashOf({ bytes: 1 << 20, seed: 3 })); // of parcels.ts
 * assertEquals(ended, { how: "eof", code: 1000 });
 * ```
 *
 * The options are those of {@linkcode PeerOptions}. Where the protocol has certificates, `far.address`
 * has the one to trust (`ca`, PEM) or its SHA-256 (`certificateHash`); {@linkcode certificate} gives one
 * with its key, for a test that serves TLS itself, which the peer's `dial("tls", { port, ca })` needs to
 * be told.
 *
 * @module
 */
import type { Certificate } from "../tools/certs.ts";
import { environment, runtime } from "../support/environment.ts";
import type { Far } from "./far_end.ts";
import { ToldFar } from "./told_far.ts";
import type { Address, Answer, Opened, PeerOptions, Protocol, Target } from "./protocol.ts";

// In a variable, as pages, whose bundle it would come into, have no processes.
const own: string = "./own.ts";
// Before any test begins, whose resources Deno watches.
const peer = environment.peer ??
  (runtime === "deno"
    ? await (await import(own) as typeof import("./own.ts")).startPeer()
    : undefined);

/** Awaits one connection of the test's. */
export async function listen(protocol: Protocol, options: PeerOptions = {}): Promise<RemoteFar> {
  return new RemoteFar(await ask("listen", { protocol, options }));
}

/** Connects to the test. */
export async function dial(
  protocol: Protocol,
  target: Target,
  options: PeerOptions = {},
): Promise<RemoteFar> {
  return new RemoteFar(await ask("dial", { protocol, target, options }));
}

/** The peer's certificate for `localhost` and 127.0.0.1, valid for a week. */
export async function certificate(): Promise<Certificate> {
  return await ask("certificate");
}

/** A far end in the peer. */
export class RemoteFar extends ToldFar implements AsyncDisposable {
  /** Where the peer listens for it, or what it has connected to. */
  readonly address: Address;
  readonly #id: string;
  #telling: Promise<unknown> = Promise.resolve();
  readonly #pending = new Set<Promise<unknown>>();
  #disposed?: Promise<void>;

  constructor({ id, address }: Opened) {
    super();
    this.#id = id;
    this.address = address;
  }

  override dispose(): Promise<void> {
    return this.#disposed ??= this.#dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Each verb is begun before the next one is told; none has to be done. */
  protected override tell<T>(verb: keyof Far, ...args: unknown[]): Promise<T> {
    const told = this.#telling.then(() => ask<Answer>(`far/${this.#id}/${verb}`, args));
    this.#telling = told.catch(() => {});
    const done = outcome<T>(told);
    // As with a far end in this process: whoever waits for it sees that it fails.
    const settled = done.catch(() => {}).finally(() => this.#pending.delete(settled));
    this.#pending.add(settled);
    return done;
  }

  /** What is on its way is broken off, and has settled then. */
  async #dispose(): Promise<void> {
    await super.dispose();
    await Promise.all(this.#pending);
  }
}

async function outcome<T>(told: Promise<Answer>): Promise<T> {
  for (let answer = await told;; answer = await ask(`op/${answer.op}`)) {
    if ("error" in answer) throw new Error(answer.error);
    if ("value" in answer) return answer.value as T;
  }
}

/**
 * Asks the peer for something. Without a content type of its own a browser asks for no
 * permission first.
 */
export async function ask<T>(path: string, body?: unknown): Promise<T> {
  if (!peer) throw new Error("There is no peer: PEER_URL is not set");
  const method = body === undefined ? "GET" : "POST";
  const response = await fetch(`${peer}/${path}`, {
    method,
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`The peer refuses /${path}: ${answer.error}`);
  return answer;
}
