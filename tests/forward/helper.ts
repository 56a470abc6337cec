/** What the forwarder's tests share: lines of a child, events of a forwarder, plain TCP ends. */

import {
  type CloseEvent,
  forward,
  type Forwarder,
  type ForwardEvent,
  type ForwardOptions,
} from "../../src/forward/main.ts";

const MAIN = new URL("../../src/forward/main.ts", import.meta.url).pathname;

/** The program and first arguments of the command line. */
export const CLI = [
  Deno.execPath(),
  "run",
  "--no-check",
  "--quiet",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  MAIN,
];

/** Values that arrive one by one, and can be waited for. */
export class Arrivals<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  add(value: T): void {
    this.all.push(value);
    this.#notify();
  }

  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** Waits for the first value that matches, past values included; throws if none can come any more. */
  async find<U extends T>(matches: (value: T) => value is U): Promise<U>;
  async find(matches: (value: T) => boolean): Promise<T>;
  async find(matches: (value: T) => boolean): Promise<T> {
    while (true) {
      const found = this.all.find(matches);
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`It never came: got ${JSON.stringify(this.all)}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Resolves once no further value can come. */
  async ended(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #notify(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Ends a live line, as an end of line ends any other line. */
const CLEAR = "\r\x1b[K";

function linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Arrivals<string> {
  const lines = new Arrivals<string>();
  (async () => {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).replaceAll(CLEAR, "\n").split(/\r?\n/);
      rest = parts.pop() ?? "";
      for (const part of parts) lines.add(part);
    }
    if (rest !== "") lines.add(rest);
    lines.end();
  })();
  return lines;
}

/** The command line, running. */
export class Cli implements AsyncDisposable {
  readonly stdout: Arrivals<string>;
  readonly stderr: Arrivals<string>;
  readonly #child: Deno.ChildProcess;
  #ended = false;

  constructor(args: string[], command: string[] = CLI) {
    const [program = "", ...first] = command;
    this.#child = new Deno.Command(program, {
      args: [...first, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.stdout = linesOf(this.#child.stdout);
    this.stderr = linesOf(this.#child.stderr);
    this.#child.status.then(() => this.#ended = true);
  }

  /** The address it listens on, once it does. */
  async address(): Promise<string> {
    const line = await this.stderr.find((line) => line.startsWith("Listening on "));
    return /^Listening on (.*), forwarding to /.exec(line)?.[1] ?? "";
  }

  /** The exit code, once everything was read. */
  async code(): Promise<number> {
    const { code } = await this.#child.status;
    await this.stdout.ended();
    await this.stderr.ended();
    return code;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.kill("SIGKILL");
    await this.code();
  }
}

/** Runs the command line to its end. */
export async function run(
  ...args: string[]
): Promise<{ code: number; stdout: string[]; stderr: string[] }> {
  await using cli = new Cli(args);
  const code = await cli.code();
  return { code, stdout: cli.stdout.all, stderr: cli.stderr.all };
}

/** A forwarder in this process, and its events. Disposing cuts its connections. */
export class Local implements AsyncDisposable {
  readonly events = new Arrivals<ForwardEvent>();
  #forwarder: Forwarder | undefined;

  static async start(options: Partial<ForwardOptions> = {}): Promise<Local> {
    const local = new Local();
    local.#forwarder = await forward({
      listen: "tcp://127.0.0.1:0",
      target: "echo:",
      onEvent: (event) => local.events.add(event),
      ...options,
    });
    return local;
  }

  get forwarder(): Forwarder {
    if (this.#forwarder === undefined) throw new Error("Not started");
    return this.#forwarder;
  }

  connect(): Promise<Deno.Conn> {
    return connect(this.forwarder.address);
  }

  /** The event of a connection's end. */
  closed(id = 1): Promise<CloseEvent> {
    return this.events.find((event): event is CloseEvent =>
      event.event === "close" && event.id === id
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forwarder.shutdown(0);
  }
}

/** A server for one test; `serve` gets each connection, which is closed afterwards. */
export function target(serve: (conn: Deno.TcpConn) => Promise<void>): {
  address: string;
  [Symbol.dispose](): void;
} {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const conn of listener) {
      serve(conn).catch(() => {}).finally(() => close(conn));
    }
  })();
  return {
    address: `tcp://127.0.0.1:${listener.addr.port}`,
    [Symbol.dispose]: () => listener.close(),
  };
}

/** Connects to an address as the forwarder writes it. */
export async function connect(address: string): Promise<Deno.Conn> {
  if (address.startsWith("unix:")) {
    return await Deno.connect({ transport: "unix", path: address.slice("unix:".length) });
  }
  const { hostname, port } = new URL(address);
  return await Deno.connect({ hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) });
}

/** Waits until somebody listens. */
export async function untilListening(address: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    try {
      return (await connect(address)).close();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  throw new Error(`Nobody listens on ${address}`);
}

/** Waits until nobody listens any more: the system may take a moment to let go of the address. */
export async function untilRefused(address: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    try {
      (await connect(address)).close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Somebody still listens on ${address}`);
}

/** Closes a connection that may be closed already. */
export function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It was closed before.
  }
}

export async function send(conn: Deno.Conn, data: string | Uint8Array): Promise<void> {
  let bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}

/** Receives exactly `length` bytes, as text. */
export async function receive(conn: Deno.Conn, length: number): Promise<string> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await conn.read(bytes.subarray(filled));
    if (count === null) throw new Error(`Ended after ${filled} of ${length} bytes`);
    filled += count;
  }
  return new TextDecoder().decode(bytes);
}

/** Receives everything up to the end. */
export async function receiveAll(conn: Deno.Conn): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(65536);
  while (true) {
    const count = await conn.read(buffer);
    if (count === null) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    chunks.push(buffer.slice(0, count));
  }
}

/** Sends, half-closes, and returns all that comes back. */
export async function exchange(conn: Deno.Conn, text: string): Promise<string> {
  await send(conn, text);
  await conn.closeWrite();
  const reply = await receiveAll(conn);
  return new TextDecoder().decode(reply);
}

/** A directory for one test. */
export function temporaryDirectory(): { path: string; [Symbol.dispose](): void } {
  const path = Deno.makeTempDirSync();
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}
