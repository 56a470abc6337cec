/**
 * The peer's HTTP side: what it answers to the tests.
 *
 * @module
 */
import type { Certificate } from "../tools/certs.ts";
import { diallers } from "./dial.ts";
import { type Far, FarEnd } from "./far_end.ts";
import { listeners } from "./listen.ts";
import { Programs } from "./programs.ts";
import type { Address, Answer, DialRequest, ListenRequest, Opened } from "./protocol.ts";

/** One far end: there, or awaited. */
interface Entry {
  readonly far: Promise<FarEnd>;
  /** Lets go of it, connected or not. */
  dispose(): Promise<void>;
}

/** How long a test may take to connect, and an answer to a request at first and later. */
const CONNECT_MS = 20_000;
const AT_ONCE_MS = 20;
const POLL_MS = 5_000;

const NOWHERE: Address = {
  hostname: "127.0.0.1",
  port: 0,
  path: "",
  url: "",
  ca: "",
  certificateHash: "",
};

const verbs: readonly string[] = [
  "send",
  "stopSending",
  "finish",
  "reset",
  "close",
  "pause",
  "resume",
  "stats",
  "until",
] satisfies (keyof Far)[];

/** Makes far ends, and passes on what they are told. */
export class PeerService {
  /** What runs beside it. */
  readonly programs: Programs;
  readonly #certificate: Certificate;
  readonly #entries = new Map<string, Entry>();
  readonly #operations = new Map<number, Promise<Answer>>();
  #count = 0;

  constructor(certificate: Certificate) {
    this.#certificate = certificate;
    this.programs = new Programs(certificate);
  }

  /** Answers a request. */
  async answer(request: Request): Promise<unknown> {
    const [, place, id, verb] = new URL(request.url).pathname.split("/");
    const body = request.method === "POST" ? await request.json() : undefined;
    if (place === "listen") return await this.#listen(body);
    if (place === "dial") return await this.#dial(body);
    if (place === "certificate") return this.#certificate;
    if (place === "open") return [...this.#entries.keys()];
    if (place === "op") return await this.#poll(Number(id));
    if (place === "program") return await this.programs.answer(id, verb, body);
    if (place === "far") return await this.#tell(id, verb, body);
    throw new TypeError(`There is no /${place}`);
  }

  async #listen({ protocol, options = {} }: ListenRequest): Promise<Opened> {
    const { address, wire, close } = await listeners[protocol](this.#certificate, options);
    let far: FarEnd | undefined;
    const connected = within(CONNECT_MS, "Nobody has connected", wire)
      .then((wire) => far = new FarEnd(wire, options));
    const id = this.#add({
      far: connected,
      dispose: async () => {
        if (far) await far.dispose();
        else close();
      },
    });
    return { id, address: { ...NOWHERE, ...address } };
  }

  async #dial({ protocol, options = {}, target }: DialRequest): Promise<Opened> {
    const far = new FarEnd(await diallers[protocol](target, options), options);
    const id = this.#add({ far: Promise.resolve(far), dispose: () => far.dispose() });
    return { id, address: { ...NOWHERE, ...target } };
  }

  #add(entry: Entry): string {
    // Whoever tells it something is told.
    entry.far.catch(() => {});
    const id = String(++this.#count);
    this.#entries.set(id, entry);
    return id;
  }

  async #tell(id: string, verb: string, args: unknown[]): Promise<Answer> {
    const entry = this.#entries.get(id);
    if (!entry) throw new TypeError(`There is no far end ${id}`);
    if (verb === "dispose") {
      this.#entries.delete(id);
      await entry.dispose();
      return { value: null };
    }
    if (!verbs.includes(verb)) throw new TypeError(`A far end has no verb '${verb}'`);
    const operation = perform(entry.far, verb, args);
    const outcome = await soon(AT_ONCE_MS, operation);
    if (outcome) return outcome;
    const op = ++this.#count;
    this.#operations.set(op, operation);
    return { op };
  }

  async #poll(op: number): Promise<Answer> {
    const operation = this.#operations.get(op);
    if (!operation) throw new TypeError(`There is no operation ${op}`);
    const outcome = await soon(POLL_MS, operation);
    if (outcome) this.#operations.delete(op);
    return outcome ?? { op };
  }
}

async function perform(far: Promise<FarEnd>, verb: string, args: unknown[]): Promise<Answer> {
  try {
    const end = await far;
    const action = end[verb as keyof Far] as (...args: unknown[]) => Promise<unknown>;
    // What is left out comes as `null`.
    return { value: await action.apply(end, args.map((arg) => arg ?? undefined)) ?? null };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** What the promise gives, if that is within so many milliseconds. */
async function soon<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(resolve, ms, undefined));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function within<T>(ms: number, otherwise: string, promise: Promise<T>): Promise<T> {
  const value = await soon(ms, promise);
  if (value === undefined) throw new Error(`${otherwise} within ${ms} ms`);
  return value;
}
