import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../../src/forward/cli/version.ts";
import config from "../../../deno.json" with { type: "json" };
import { test } from "../../harness.ts";
import * as t from "../helper.ts";

const LISTEN = "tcp://127.0.0.1:0";

test("--help goes to stdout", async () => {
  const { code, stdout, stderr } = await t.run("--help");
  assertEquals([code, stderr], [0, []]);
  assertStringIncludes(stdout.join("\n"), "Usage: deno task forward [flags] [LISTEN TARGET]");
});

test("--version is the package's", async () => {
  assertEquals(VERSION, config.version);
  assertEquals(await t.run("--version"), { code: 0, stdout: [VERSION], stderr: [] });
});

const USAGE_ERRORS: [string[], string][] = [
  [["--foo"], "'--foo'"],
  [["--idle-timeout", "0s"], "--idle-timeout"],
  [["--half-close-timeout", "1"], "--half-close-timeout"],
  [["--half-close", "close"], "--half-close"],
  [["--max-duration", "0s"], "--max-duration"],
  [["--connect-timeout=-1s"], "--connect-timeout"],
  [["--grace", "NaN"], "--grace"],
  [["--max-connections", "0"], "--max-connections"],
  [["--workers", "0"], "--workers"],
  [["--workers", "2", "--once"], "'workers'"],
  [["--rate", "0"], "--rate"],
  [["--limit", "10XB"], "--limit"],
  [["--log", "xml"], "--log"],
  [["--unix-mode", "668", "unix:/tmp/x", "echo:"], "--unix-mode"],
  [["--unix-mode", "660", "tcp://127.0.0.1:0", "echo:"], "'unixMode'"],
  [["--once=yes"], "--once"],
  [["tcp://127.0.0.1:70000", "echo:"], "LISTEN"],
  [["tcp://127.0.0.1:0", "tcp://a:0"], "TARGET"],
  [["tcp://127.0.0.1:0"], "TARGET"],
  [["tcp://127.0.0.1:0", "echo:", "more"], "'more'"],
];

test("a usage error is one line that names the argument, and exit code 2", async () => {
  const runs = await Promise.all(USAGE_ERRORS.map(([args]) => t.run(...args)));
  for (const [i, [args, name]] of USAGE_ERRORS.entries()) {
    const { code, stdout, stderr } = runs[i]!;
    assertEquals([code, stdout, stderr.length], [2, [], 1], args.join(" "));
    assertStringIncludes(stderr[0]!, name);
  }
});

test("a file in the socket's place is a usage error", async () => {
  using directory = t.temporaryDirectory();
  const path = `${directory.path}/file`;
  Deno.writeTextFileSync(path, "precious");
  const { code, stderr } = await t.run(`unix:${path}`, "echo:");
  assertEquals([code, stderr.length], [2, 1]);
  assertStringIncludes(stderr[0]!, path);
  assertEquals(Deno.readTextFileSync(path), "precious");
});

test("an address in use is one line, and exit code 1", async () => {
  await using local = await t.Local.start();
  const { address } = local.forwarder;
  const { code, stdout, stderr } = await t.run("--log", "json", address, "echo:");
  assertEquals({ code, stdout, stderr }, {
    code: 1,
    stdout: [],
    stderr: [`Cannot listen on ${address}: Address already in use`],
  });
});

test("text: a line for the listening and for each connection, on stderr", async () => {
  await using cli = new t.Cli(["--once", LISTEN, "echo:"]);
  using client = await t.connect(await cli.address());
  assertEquals(await t.exchange(client, "hello"), "hello");
  assertEquals(await cli.code(), 0);
  assertEquals(cli.stdout.all, []);
  const [, line = "", ...rest] = cli.stderr.all;
  assert(
    /^#1 tcp:\/\/127\.0\.0\.1:\d+ > echo: eof after \d+ ms, 5 B there, 5 B back$/.test(line),
    line,
  );
  assertEquals(rest, []);
});

test("json: an object for the listening and for each connection, on stdout", async () => {
  const vacant = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const to = `tcp://127.0.0.1:${vacant.addr.port}`;
  vacant.close();
  await using cli = new t.Cli(["--log=json", LISTEN, to]);
  const { address, ...listening } = JSON.parse(await cli.stdout.find(() => true));
  assertEquals(listening, { event: "listen", target: to });
  {
    using client = await t.connect(address);
    await client.read(new Uint8Array(1)).catch(() => {});
  }
  await cli.stdout.find((line) => line.includes('"id":1'));
  {
    using revived = Deno.listen({ hostname: "127.0.0.1", port: vacant.addr.port });
    using client = await t.connect(address);
    using accepted = await revived.accept();
    await t.send(client, "there");
    await client.closeWrite();
    await t.receiveAll(accepted);
    assertEquals(await t.exchange(accepted, "and back"), "");
    await t.receiveAll(client);
  }
  await cli.stdout.find((line) => line.includes('"id":2'));
  cli.kill("SIGTERM");
  assertEquals(await cli.code(), 0);
  assertEquals(cli.stderr.all, []);
  const [, refused, eof, shutdown, ...rest] = cli.stdout.all.map((line) => JSON.parse(line));
  for (const close of [refused, eof]) {
    assert(/^tcp:\/\/127\.0\.0\.1:\d+$/.test(close.from), close.from);
    assert(Number.isInteger(close.ms) && close.ms >= 0, close.ms);
  }
  const { from, ms } = refused;
  assertEquals(refused, {
    event: "close",
    id: 1,
    from,
    to,
    aToB: 0,
    bToA: 0,
    ms,
    reason: "refused",
    error: `Cannot connect to ${to}: Connection refused`,
  });
  assertEquals(eof, {
    event: "close",
    id: 2,
    from: eof.from,
    to,
    aToB: 5,
    bToA: 8,
    ms: eof.ms,
    reason: "eof",
  });
  assertEquals(shutdown, { event: "shutdown", open: 0, grace: 10_000 });
  assertEquals(rest, []);
});

test("--log-open: a line when a connection is accepted, too", async () => {
  await using text = new t.Cli(["--log-open", "--once", LISTEN, "echo:"]);
  await using json = new t.Cli(["--log-open", "--log=json", "--once", LISTEN, "echo:"]);
  using first = await t.connect(await text.address());
  const from = `tcp://127.0.0.1:${first.localAddr.transport === "tcp" ? first.localAddr.port : ""}`;
  // It comes before anything else of the connection.
  await text.stderr.find((line) => line === `#1 ${from} > echo: open`);
  await t.exchange(first, "hello");
  assertEquals(await text.code(), 0);
  assertEquals(text.stderr.all.length, 3);
  using second = await t.connect(JSON.parse(await json.stdout.find(() => true)).address);
  await t.exchange(second, "hello");
  assertEquals(await json.code(), 0);
  const events = json.stdout.all.map((line) => JSON.parse(line).event);
  assertEquals(events, ["listen", "open", "close"]);
});

test("none: only the address it listens on", async () => {
  await using cli = new t.Cli(["--log", "none", "--once", LISTEN, "echo:"]);
  using client = await t.connect(await cli.address());
  await t.exchange(client, "hello");
  assertEquals(await cli.code(), 0);
  assertEquals([cli.stdout.all, cli.stderr.all.length], [[], 1]);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} stops listening, and lets a connection finish`, async () => {
    await using cli = new t.Cli(["--grace", "1h", LISTEN, "echo:"]);
    const address = await cli.address();
    using client = await t.connect(address);
    await t.send(client, "one");
    assertEquals(await t.receive(client, 3), "one");
    cli.kill(signal);
    await cli.stderr.find((line) => line === "Shutting down: 1 open, cut after 1 h 0 m");
    await t.untilRefused(address);
    assertEquals(await t.exchange(client, "two"), "two");
    assertEquals(await cli.code(), 0);
    assertStringIncludes(cli.stderr.all.at(-1)!, " eof after ");
  });
}

test("after the grace connections are cut", async () => {
  await using cli = new t.Cli(["--grace", "50ms", LISTEN, "echo:"]);
  using client = await t.connect(await cli.address());
  await t.send(client, "one");
  await t.receive(client, 3);
  cli.kill("SIGTERM");
  assertEquals(await cli.code(), 0);
  assertStringIncludes(cli.stderr.all.at(-1)!, " shutdown after ");
});

test("a second signal ends at once", async () => {
  await using cli = new t.Cli(["--log", "json", "--grace", "1h", LISTEN, "echo:"]);
  const { address } = JSON.parse(await cli.stdout.find(() => true));
  using client = await t.connect(address);
  await t.send(client, "one");
  await t.receive(client, 3);
  cli.kill("SIGINT");
  await cli.stdout.find((line) => line.includes('"event":"shutdown"'));
  cli.kill("SIGINT");
  assertEquals(await cli.code(), 0);
  const last = JSON.parse(cli.stdout.all.at(-1)!);
  assertEquals(last, { ...last, event: "close", aToB: 3, bToA: 3, reason: "shutdown" });
});

test("a signal removes the unix socket's file", async () => {
  using directory = t.temporaryDirectory();
  await using cli = new t.Cli([`unix:${directory.path}/socket`, "echo:"]);
  await cli.address();
  assertEquals([...Deno.readDirSync(directory.path)].length, 1);
  cli.kill("SIGTERM");
  assertEquals(await cli.code(), 0);
  assertEquals([...Deno.readDirSync(directory.path)], []);
});

test("the socket that a killed forwarder has left is replaced", async () => {
  using directory = t.temporaryDirectory();
  const listen = `unix:${directory.path}/socket`;
  {
    await using killed = new t.Cli([listen, "echo:"]);
    await killed.address();
    killed.kill("SIGKILL");
  }
  assertEquals([...Deno.readDirSync(directory.path)].length, 1);
  await using cli = new t.Cli(["--once", listen, "echo:"]);
  using client = await t.connect(await cli.address());
  assertEquals(await t.exchange(client, "again"), "again");
  assertEquals(await cli.code(), 0);
});

test("without file descriptors it says so once, and goes on when there are some", async () => {
  const few = ["sh", "-c", 'ulimit -n 48; exec "$@"', "sh", ...t.CLI];
  await using cli = new t.Cli([LISTEN, "echo:"], few);
  const address = await cli.address();
  const clients = await Promise.all(Array.from({ length: 60 }, () => t.connect(address)));
  const isTrouble = (line: string) => line === "Cannot accept for now: Too many open files";
  await cli.stderr.find(isTrouble);
  // The last ones wait until the first ones leave their descriptors.
  for (const [i, client] of clients.entries()) {
    assertEquals(await t.exchange(client, `client ${i}`), `client ${i}`);
    client.close();
  }
  cli.kill("SIGTERM");
  assertEquals(await cli.code(), 0);
  assertEquals(cli.stderr.all.filter(isTrouble).length, 1);
  assertEquals(cli.stderr.all.filter((line) => line.includes(" eof after ")).length, 60);
});

/** util-linux's, which runs a command on a pseudo-terminal. */
function hasScript(): boolean {
  try {
    const { stdout } = new Deno.Command("script", { args: ["--version"] }).outputSync();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false;
  }
}

if (hasScript()) {
  for (const log of ["text", "json"]) {
    test(`a terminal has a live line, apart from the log (${log})`, async () => {
      using directory = t.temporaryDirectory();
      const path = `${directory.path}/socket`;
      const command = [...t.CLI, "--once", "--log", log, `unix:${path}`, "echo:"].join(" ");
      await using cli = new t.Cli([], ["script", "-qec", command, "/dev/null"]);
      await cli.stdout.find((line) => line.includes(path));
      using client = await t.connect(`unix:${path}`);
      await t.send(client, "hello");
      await t.receive(client, 5);
      await cli.stdout.find((line) => line.startsWith("1 open | there 5 B "));
      await t.exchange(client, "");
      assertEquals(await cli.code(), 0);
      const live = /^[01] open \| there [05] B \d+ B\/s \| back [05] B \d+ B\/s$/;
      const lines = cli.stdout.all.filter((line) => line !== "" && !live.test(line));
      assertEquals(lines.length, 2, JSON.stringify(lines));
      const [listening, closed] = lines;
      const starts = log === "json" ? ['{"event":"listen",', '{"event":"close",'] : [
        "Listening on ",
        "#1 ",
      ];
      assert(listening?.startsWith(starts[0]!), listening);
      assert(closed?.startsWith(starts[1]!), closed);
    });
  }
}
