import { assert, assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import * as t from "../helper.ts";

/** A running command line whose log is read only when asked for. */
class Unread implements AsyncDisposable {
  readonly status: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(log: "json" | "text", args: string[], command: string[] = t.CLI) {
    const [program = "", ...first] = command;
    this.#child = new Deno.Command(program, {
      args: [...first, `--log=${log}`, ...args],
      stdin: "null",
      stdout: log === "json" ? "piped" : "null",
      stderr: log === "text" ? "piped" : "null",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.status = this.#child.status;
    const stream = log === "json" ? this.#child.stdout : this.#child.stderr;
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line; `undefined` at the end. */
  async line(): Promise<string | undefined> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  /** All lines from here on to the end. */
  async lines(): Promise<string[]> {
    const lines: string[] = [];
    for (let line; (line = await this.line()) !== undefined;) lines.push(line);
    return lines;
  }

  /** Reads the first line, which has the address. */
  async address(): Promise<string> {
    return /(?:tcp|unix):[^",\s]+/.exec(await this.line() ?? "")?.[0] ?? "";
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#reader.cancel();
    await this.status;
  }
}

/** Makes `count` connections, 20 at a time, and ends each after it was served or refused. */
async function visit(address: string, count: number): Promise<void> {
  const visitors = Array.from({ length: 20 }, async (_, index) => {
    for (let i = index; i < count; i += 20) {
      using conn = await t.connect(address);
      await conn.closeWrite().catch(() => {});
      while (await conn.read(new Uint8Array(64)).catch(() => null) !== null);
    }
  });
  await Promise.all(visitors);
}

/** Ends the program as a supervisor does. It must be gone soon, whatever happens to its log. */
async function stop(cli: Unread): Promise<void> {
  const start = performance.now();
  cli.kill("SIGTERM");
  const { code, signal } = await cli.status;
  const ms = performance.now() - start;
  assertEquals([code, signal], [0, null]);
  assert(ms < 3000, `${ms}`);
}

const LISTEN = "tcp://127.0.0.1:0";

/** Connections whose log lines are twice as much as a pipe holds. */
const MANY = 2000;

for (const log of ["text", "json"] as const) {
  for (const workers of [1, 2]) {
    test(`a log that nobody reads holds nothing up (${log}, workers: ${workers})`, async () => {
      const args = workers === 1 ? [] : ["--workers", `${workers}`];
      await using cli = new Unread(log, [...args, LISTEN, "echo:"]);
      const address = await cli.address();
      using open = await t.connect(address);
      await t.send(open, "before");
      assertEquals(await t.receive(open, 6), "before");
      await visit(address, MANY);
      assertEquals(await t.exchange(open, "after"), "after");
      await stop(cli);
    });
  }

  test(`a full disk under the log ends nothing (${log})`, async () => {
    using directory = t.temporaryDirectory();
    const address = `unix:${directory.path}/socket`;
    const redirect = log === "json" ? ">" : "2>";
    const full = ["sh", "-c", `exec "$@" ${redirect}/dev/full`, "sh", ...t.CLI];
    await using cli = new Unread(log, [address, "echo:"], full);
    await t.untilListening(address);
    await visit(address, 100);
    using client = await t.connect(address);
    assertEquals(await t.exchange(client, "hello"), "hello");
    await stop(cli);
  });

  test(`a log's reader that goes away ends nothing (${log})`, async () => {
    const pipe = log === "json" ? '"$@"' : '"$@" 2>&1 >/dev/null';
    const headed = ["sh", "-c", `${pipe} | head -n 1 >&2 & exec >&-; wait`, "sh", ...t.CLI];
    await using cli = new t.Cli([`--log=${log}`, "--once", LISTEN, "echo:"], headed);
    const line = await cli.stderr.find(() => true);
    using client = await t.connect(/tcp:[^",\s]+/.exec(line)?.[0] ?? "");
    for (let i = 0; i < 100; i++) {
      await t.send(client, "hello");
      assertEquals(await t.receive(client, 5), "hello");
    }
    assertEquals(await t.exchange(client, "bye"), "bye");
    assertEquals(await cli.code(), 0);
    assertEquals(cli.stderr.all, [line]);
  });
}

test("the exit code is the same when the last lines cannot be written", async () => {
  const full = ["sh", "-c", 'exec "$@" >/dev/full 2>&1', "sh", ...t.CLI];
  for (const [arg, expected] of [["--help", 0], ["--foo", 2]] as const) {
    await using cli = new t.Cli([arg], full);
    assertEquals(await cli.code(), expected);
  }
});

test("lines that find no room are counted, and the count is in the log", async () => {
  using directory = t.temporaryDirectory();
  // Long names make lines of half a KiB.
  const path = (name: string) => `unix:${directory.path}/`.padEnd(110, name);
  await using cli = new Unread("json", [path("a"), path("b")]);
  const address = await cli.address();
  const count = 5000;
  await visit(address, count);
  const reading = cli.lines();
  cli.kill("SIGTERM");
  const events = (await reading).map((line) => JSON.parse(line));
  assertEquals((await cli.status).code, 0);
  const closed = events.filter(({ event }) => event === "close");
  const ids = new Set(closed.map(({ id }) => id));
  assertEquals(ids.size, closed.length);
  const lost = events.filter(({ event }) => event === "lost");
  const sum = lost.reduce((sum, { lines }) => sum + lines, 0);
  assert(sum > 500, `${sum}`);
  // The line of the shutdown may be among them.
  const told = events.some(({ event }) => event === "shutdown") ? 0 : 1;
  assertEquals(closed.length + sum - told, count);
});

test("a log's reader that comes back gets what waited for it", async () => {
  using directory = t.temporaryDirectory();
  const fifo = `${directory.path}/log`;
  assertEquals(new Deno.Command("mkfifo", { args: [fifo] }).outputSync().code, 0);
  const address = `unix:${directory.path}/socket`;
  const piped = ["sh", "-c", 'exec "$@" 2>"$0"', fifo, ...t.CLI];
  await using cli = new t.Cli([address, "echo:"], piped);
  const head = new Deno.Command("head", { args: ["-n", "1", fifo] });
  const { stdout } = await head.output();
  assertEquals(new TextDecoder().decode(stdout), `Listening on ${address}, forwarding to echo:\n`);
  await visit(address, 3);
  await using cat = new t.Cli([fifo], ["cat"]);
  for (const id of [1, 2, 3]) await cat.stdout.find((line) => line.startsWith(`#${id} `));
  cli.kill("SIGTERM");
  assertEquals(await cli.code(), 0);
  assertEquals(await cat.code(), 0);
});
